-- The service's schema as both databases had it some releases ago: types, functions, tables. Keys, indexes, triggers
-- and views follow in keys.sql, after the rows, because rows load faster without them; prod's later releases are in
-- release.sql. Run as the owner of the database.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;

create extension btree_gist;                         -- for the exclusion constraint of bookings

create schema reporting;
comment on schema reporting is 'What analysts may read';

create type service_name as enum ('CAS1', 'CAS2', 'CAS3');
create type user_role as enum ('ASSESSOR', 'MANAGER', 'WORKFLOW_MANAGER', 'MATCHER', 'REPORT_VIEWER');
create type user_qualification as enum ('PIPE', 'ESAP', 'LAO', 'EMERGENCY', 'MENTAL_HEALTH_SPECIALIST');
create type decision as enum ('ACCEPTED', 'REJECTED', 'WITHDRAWN');
create type postal_address as (line_1 text, line_2 text, town text, postcode text);
create type time_window as range (subtype = timestamp without time zone);

create domain crn as text check (value ~ '^[A-Z][0-9]{6}$');
comment on domain crn is 'Case reference number';
create domain email_address as text check (value like '%_@_%');
create domain positive_int as integer not null default 1 check (value > 0);

create function touch_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

create function normalised_name(name text) returns text language sql immutable parallel safe
    return lower(trim(name));
comment on function normalised_name(text) is 'The form of a name that search compares';

create function working_days(period daterange) returns integer language sql stable as $$
    select count(*)::integer
    from generate_series(lower(period)::timestamp, upper(period)::timestamp - interval '1 day', interval '1 day') day
    where extract(isodow from day) < 6
$$;

create function longer_text(a text, b text) returns text language sql immutable
    return case when length(b) > length(a) then b else a end;
create aggregate longest(text) (sfunc = longer_text, stype = text, initcond = '');

create sequence application_reference_seq start with 100000 increment by 7 cache 20;
create function next_application_reference() returns text language sql volatile as $$
    select 'AP-' || nextval('public.application_reference_seq')
$$;

create table probation_regions (
    id uuid not null default gen_random_uuid(),
    name text not null,
    delius_code varchar(10) not null
);

create table users (
    id uuid not null,
    name text not null,
    search_name text generated always as (public.normalised_name(name)) stored,
    delius_username text not null,
    delius_staff_code varchar(20),
    email email_address,
    telephone_number text,
    probation_region_id uuid not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table users is 'People who may log in';
comment on column users.delius_username is 'Name in the case management system';

create table user_role_assignments (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    role user_role not null
);

create table user_qualification_assignments (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    qualification user_qualification not null
);

create table premises (
    id uuid not null,
    name text not null,
    ap_code varchar(8) not null,
    address postal_address,
    postcode varchar(8) not null,
    probation_region_id uuid not null,
    visiting time_window,
    opened_on date,
    status text not null default 'active',
    characteristics text[] not null default '{}'
);

create table rooms (
    id uuid not null,
    premises_id uuid not null,
    name text not null,
    code varchar(20),
    notes text
);

create table beds (
    id uuid not null,
    room_id uuid not null,
    name text not null,
    code varchar(20),
    end_date date
);

create table applications (
    id uuid not null,
    reference text not null default public.next_application_reference(),
    crn crn not null,
    noms_number text,
    created_by_user_id uuid not null,
    service service_name not null default 'CAS1',
    data jsonb,
    document jsonb,
    created_at timestamptz not null,
    submitted_at timestamptz,
    withdrawn boolean not null default false
);
alter table applications alter column document set storage external;
alter table applications alter column crn set statistics 500;

create table assessments (
    id uuid not null,
    application_id uuid not null,
    allocated_to_user_id uuid,
    decision decision,
    rationale text,
    data jsonb,
    created_at timestamptz not null,
    decided_at timestamptz
);

create table assessment_notes (
    id serial,
    assessment_id uuid not null,
    author_id uuid not null,
    note text not null,
    created_at timestamptz not null default now()
);

create table bookings (
    id uuid not null,
    reference bigint generated by default as identity (start with 5000 cache 10),
    crn crn not null,
    premises_id uuid not null,
    bed_id uuid,
    application_id uuid,
    arrival_date date not null,
    departure_date date not null,
    nights integer generated always as (departure_date - arrival_date) stored,
    key_worker text,
    created_at timestamptz not null,
    updated_at timestamptz not null default now()
);

create table out_of_service_beds (
    id bigint generated always as identity,
    bed_id uuid not null,
    period daterange not null,
    reason text not null
);

create table domain_events (
    id uuid not null default gen_random_uuid(),
    application_id uuid,
    booking_id uuid,
    crn crn not null,
    type text not null,
    occurred_at timestamptz not null,
    created_at timestamptz not null default now(),
    data jsonb not null,
    service service_name not null default 'CAS1',
    triggered_by_user_id uuid
);

-- One partition a quarter, one for the rest.
create table audit_log (
    id bigint generated by default as identity,
    at timestamptz not null,
    actor text not null,
    action text not null,
    entity uuid,
    details jsonb
) partition by range (at);
create table audit_log_2025_q4 partition of audit_log for values from ('2025-10-01') to ('2026-01-01');
create table audit_log_2026_q1 partition of audit_log for values from ('2026-01-01') to ('2026-04-01');
create table audit_log_2026_q2 partition of audit_log for values from ('2026-04-01') to ('2026-07-01');
create table audit_log_2026_q3 partition of audit_log for values from ('2026-07-01') to ('2026-10-01');
create table audit_log_rest partition of audit_log default;

create unlogged table sessions_cache (
    token text not null,
    payload bytea,
    expires_at timestamptz not null
);

create table flyway_schema_history (
    installed_rank integer not null,
    version varchar(50),
    description varchar(200) not null,
    type varchar(20) not null,
    script varchar(1000) not null,
    checksum integer,
    installed_by varchar(100) not null,
    installed_on timestamp not null default now(),
    execution_time integer not null,
    success boolean not null
);
