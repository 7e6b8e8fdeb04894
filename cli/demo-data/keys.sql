-- What stands on the tables of tables.sql: keys, indexes, views, triggers, policies, grants. :app is the role that the
-- service logs in with, :reader the analysts' role.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
set maintenance_work_mem = '256MB';

alter table probation_regions add primary key (id), add unique (delius_code);
alter table users add primary key (id), add constraint users_username_key unique (delius_username);
alter table user_role_assignments add primary key (id), add unique (user_id, role);
alter table user_qualification_assignments add primary key (id), add unique (user_id, qualification);
alter table premises add primary key (id), add unique (ap_code),
    add constraint premises_status_known check (status in ('active', 'pending', 'archived'));
alter table rooms add primary key (id);
alter table beds add primary key (id);
alter table applications add primary key (id);
alter table assessments add primary key (id);
alter table assessment_notes add primary key (id);
alter table bookings add primary key (id),
    add constraint bookings_dates_in_order check (departure_date >= arrival_date);
alter table out_of_service_beds add primary key (id),
    add constraint out_of_service_beds_no_overlap exclude using gist (bed_id with =, period with &&);
alter table domain_events add primary key (id);
alter table audit_log add primary key (id, at);
alter table sessions_cache add primary key (token);
alter table flyway_schema_history add constraint flyway_schema_history_pk primary key (installed_rank);

create index users_search_idx on users (search_name text_pattern_ops);
create index rooms_premises_idx on rooms (premises_id);
create index beds_room_idx on beds (room_id);
create unique index applications_reference_idx on applications (reference);
create index applications_crn_idx on applications (crn, created_at desc);
create index applications_open_idx on applications (created_by_user_id) where submitted_at is null and not withdrawn;
create index assessments_application_idx on assessments (application_id);
create index assessments_undecided_idx on assessments (allocated_to_user_id) where decision is null;
create index bookings_bed_idx on bookings (bed_id, arrival_date);
create index bookings_premises_idx on bookings (premises_id) include (arrival_date, departure_date);
create index bookings_crn_idx on bookings (crn);
create index domain_events_application_idx on domain_events (application_id, occurred_at);
create index domain_events_type_idx on domain_events (type, occurred_at);
create index domain_events_crn_idx on domain_events ((data ->> 'crn'));
create index audit_log_entity_idx on audit_log (entity);
create index flyway_schema_history_s_idx on flyway_schema_history (success);
alter index domain_events_crn_idx alter column 1 set statistics 200;

create statistics bookings_place_stats (dependencies, ndistinct) on premises_id, bed_id from bookings;

alter table users add foreign key (probation_region_id) references probation_regions (id);
alter table user_role_assignments add foreign key (user_id) references users (id) on delete cascade;
alter table user_qualification_assignments add foreign key (user_id) references users (id) on delete cascade;
alter table premises add foreign key (probation_region_id) references probation_regions (id);
alter table rooms add foreign key (premises_id) references premises (id);
alter table beds add foreign key (room_id) references rooms (id);
alter table applications add foreign key (created_by_user_id) references users (id);
alter table assessments add foreign key (application_id) references applications (id),
    add foreign key (allocated_to_user_id) references users (id) on delete set null;
alter table assessment_notes add foreign key (assessment_id) references assessments (id) deferrable initially deferred,
    add foreign key (author_id) references users (id);
alter table bookings add foreign key (premises_id) references premises (id),
    add foreign key (bed_id) references beds (id),
    add foreign key (application_id) references applications (id);
alter table out_of_service_beds add foreign key (bed_id) references beds (id);
alter table domain_events add foreign key (application_id) references applications (id);

create trigger users_touch before update on users for each row execute function touch_updated_at();
create trigger bookings_touch before update on bookings for each row execute function touch_updated_at();

create function audit_event() returns trigger language plpgsql set search_path = public as $$
begin
    insert into audit_log (at, actor, action, entity) values (new.created_at, session_user, new.type, new.application_id);
    return null;
end $$;
create trigger domain_events_audit after insert on domain_events
    for each row when (new.service = 'CAS1') execute function audit_event();

create procedure archive_premises(code text) language plpgsql as $$
begin
    update public.premises set status = 'archived' where ap_code = code;
end $$;

-- Views on views, and materialized views on those.
create view current_bookings as
    select b.id, b.crn, b.premises_id, b.bed_id, b.arrival_date, b.departure_date
    from bookings b
    where daterange(b.arrival_date, b.departure_date, '[]') @> date '2026-06-15';
create view bed_list as
    select p.name as premises, p.probation_region_id, r.name as room, d.id as bed_id, d.name as bed
    from premises p join rooms r on r.premises_id = p.id join beds d on d.room_id = r.id
    where d.end_date is null;
create view occupancy with (security_barrier) as
    select l.premises, l.probation_region_id, count(*) as beds, count(c.id) as occupied
    from bed_list l left join current_bookings c using (bed_id)
    group by l.premises, l.probation_region_id;
create view reporting.regional_occupancy as
    select r.name as region, sum(o.beds) as beds, sum(o.occupied) as occupied
    from occupancy o join probation_regions r on r.id = o.probation_region_id
    group by r.name;

create materialized view reporting.monthly_bookings as
    select date_trunc('month', b.arrival_date)::date as month, p.ap_code, count(*) as bookings, sum(b.nights) as nights
    from bookings b join premises p on p.id = b.premises_id
    group by 1, 2;
create unique index monthly_bookings_key on reporting.monthly_bookings (month, ap_code);
create materialized view reporting.busiest_regions as
    select region, occupied, rank() over (order by occupied desc) as place from reporting.regional_occupancy;

-- A rule, a policy, column grants.
create view active_users as select id, name, email from users where is_active;
create rule active_users_delete as on delete to active_users
    do instead update users set is_active = false where id = old.id;

alter table assessment_notes enable row level security;
create policy notes_of_author on assessment_notes for all
    using (author_id = nullif(current_setting('service.user_id', true), '')::bigint);

grant usage on schema reporting to :"app", :"reader";
grant select, insert, update, delete on all tables in schema public to :"app";
grant usage on all sequences in schema public to :"app";
grant select on all tables in schema reporting to :"app", :"reader";
grant select (id, name, is_active) on users to :"reader";
revoke execute on procedure archive_premises(text) from public;
grant execute on procedure archive_premises(text) to :"app";

set client_min_messages = error;                      -- no word about catalogs that are not ours
analyze;
