-- Rows for tables.sql, all made up. :users, :applications, :bookings, :events and :audits say how many; ids follow
-- from their numbers, so an older copy with fewer rows has the same people and places.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
set synchronous_commit = off;
select setseed(0.42) \g /dev/null

-- A page of words to cut texts from.
select string_agg((array['a','the','person','moved','to','was','assessed','by','risk','of','plan','room','said','that',
    'support','will','be','needed','until','review','in','June','and','licence','conditions','include','curfew','family',
    'contact','with','probation','officer','premises','arrival','delayed','because','travel'])[1 + (random() * 36)::int], ' ')
    as page from generate_series(1, 900) \gset

insert into probation_regions (id, name, delius_code)
select md5('region' || i)::uuid, 'Region ' || chr(64 + i), 'N' || (49 + i) from generate_series(1, 12) i;

insert into users (id, name, delius_username, delius_staff_code, email, telephone_number, probation_region_id, is_active,
    created_at, updated_at)
select i,
    (array['Ada','Ben','Cyra','Dev','Elif','Finn','Gwen','Hana','Idris','Jo'])[1 + i % 10] || ' ' ||
        (array['Ahmed','Brown','Clarke','Davies','Evans','Fox','Green','Hill','Iqbal','Jones'])[1 + i / 10 % 10] || ' ' || i,
    'USER_' || i, 'N' || lpad(i::text, 6, '0'), case when i % 9 > 0 then 'user' || i || '@example.org' end,
    case when i % 3 = 0 then '01632 ' || 960000 + i % 1000 end, md5('region' || 1 + i % 12)::uuid, i % 17 > 0,
    timestamptz '2024-01-01' + i * interval '3 hours', timestamptz '2026-01-01' + i * interval '1 hour'
from generate_series(1, :users) i;
select setval(pg_get_serial_sequence('users', 'id'), :users) \g /dev/null

insert into user_role_assignments (user_id, role)
select i, (enum_range(null::user_role))[1 + (i + j) % 5]
from generate_series(1, :users) i, generate_series(1, 2) j;

insert into user_qualification_assignments (user_id, qualification)
select i, (enum_range(null::user_qualification))[1 + i % 5] from generate_series(1, :users, 4) i;

insert into premises (id, name, ap_code, address, postcode, probation_region_id, visiting, opened_on, characteristics)
select md5('premises' || i)::uuid, 'House ' || i, 'Q' || lpad(i::text, 3, '0'),
    row (i || ' High Street', null, 'Town ' || i % 40, 'AB' || i % 90 || ' ' || i % 9 || 'CD')::postal_address,
    'AB' || i % 90 || ' ' || i % 9 || 'CD', md5('region' || 1 + i % 12)::uuid,
    time_window('2026-01-01 09:00', '2026-01-01 17:30'), date '1990-01-01' + i * 40,
    (array['isCatered', 'hasWheelchairAccess', 'isIAP', 'isPIPE'])[1 : i % 5]
from generate_series(1, 100) i;

insert into rooms (id, premises_id, name, code, notes)
select md5('room' || p || '.' || r)::uuid, md5('premises' || p)::uuid, 'Room ' || r, 'Q' || p || '-' || r,
    case when r % 4 = 0 then 'Ground floor, "quiet" side; key 50% off' end
from generate_series(1, 100) p, generate_series(1, 12) r;

insert into beds (id, room_id, name, code, end_date)
select md5('bed' || n)::uuid, md5('room' || 1 + (n - 1) / 24 || '.' || 1 + (n - 1) % 24 / 2)::uuid,
    'Bed ' || 1 + n % 2, 'B' || n, case when n % 50 = 0 then date '2026-03-31' end
from generate_series(1, 2400) n;

insert into applications (id, crn, noms_number, created_by_user_id, service, data, document, created_at, submitted_at, withdrawn)
select md5('application' || i)::uuid, 'X' || lpad((i * 7 % 1000000)::text, 6, '0'), 'A' || i % 10000 || 'BC',
    1 + i % :users, (enum_range(null::service_name))[1 + i % 3],
    jsonb_build_object('basic-information', jsonb_build_object('sentence-type', (array['life','ipp','extended'])[1 + i % 3],
        'release-date', date '2026-01-01' + i % 700, 'notes', substr(:'page', 1 + i * 31 % 2000, 900)),
        'risk', jsonb_build_object('level', i % 4, 'factors', jsonb_build_array(i % 7, i % 11, md5('f' || i)))),
    jsonb_build_object('sections', (select jsonb_agg(jsonb_build_object('title', 'Section ' || s, 'content',
        substr(:'page', 1 + (i * 13 + s * 401) % 3000, 450), 'ref', md5(i || 'd' || s))) from generate_series(1, 5) s)),
    timestamptz '2024-06-01' + i * interval '40 minutes',
    case when i % 8 > 0 then timestamptz '2024-06-02' + i * interval '40 minutes' end, i % 23 = 0
from generate_series(1, :applications) i;

insert into assessments (id, application_id, allocated_to_user_id, decision, rationale, data, created_at, decided_at)
select md5('assessment' || i)::uuid, md5('application' || i)::uuid, 1 + i * 3 % :users,
    case when i % 10 > 0 then (enum_range(null::decision))[1 + i % 3] end, substr(:'page', 1 + i * 17 % 3000, 300),
    jsonb_build_object('sufficient', i % 5 > 0, 'matching', substr(:'page', 1 + i * 29 % 3000, 500)),
    timestamptz '2024-06-03' + i * interval '40 minutes',
    case when i % 10 > 0 then timestamptz '2024-06-09' + i * interval '40 minutes' end
from generate_series(1, :applications) i;

insert into assessment_notes (assessment_id, author_id, note, created_at)
select md5('assessment' || i)::uuid, 1 + i % :users, 'Note ' || i || E'\twith a tab\\and more',
    timestamptz '2024-06-05' + i * interval '40 minutes'
from generate_series(1, :applications, 3) i;

insert into bookings (id, crn, premises_id, bed_id, application_id, arrival_date, departure_date, key_worker, created_at, updated_at)
select md5('booking' || i)::uuid, 'X' || lpad((i * 7 % 1000000)::text, 6, '0'),
    md5('premises' || 1 + (i % 2400) / 24)::uuid, md5('bed' || 1 + i % 2400)::uuid,
    case when i % 3 > 0 then md5('application' || 1 + i % :applications)::uuid end,
    date '2024-07-01' + i % 900, date '2024-07-01' + i % 900 + 28 + i % 60, 'Key worker ' || i % 500,
    timestamptz '2024-06-20' + i * interval '5 minutes', timestamptz '2024-06-21' + i * interval '5 minutes'
from generate_series(1, :bookings) i;

insert into out_of_service_beds (bed_id, period, reason)
select md5('bed' || n)::uuid, daterange(date '2025-01-01' + k * 100, date '2025-01-01' + k * 100 + 5 + n % 30), 'Refurbishment'
from generate_series(1, 2400) n, generate_series(0, 2) k;

insert into domain_events (id, application_id, booking_id, crn, type, occurred_at, created_at, data, service, triggered_by_user_id)
select md5('event' || i)::uuid, md5('application' || 1 + i % :applications)::uuid, md5('booking' || 1 + i % :bookings)::uuid,
    'X' || lpad((i * 7 % 1000000)::text, 6, '0'),
    (array['application-submitted','assessed','booking-made','person-arrived','person-departed','booking-cancelled'])[1 + i % 6],
    timestamptz '2024-07-01' + i * interval '6 minutes', timestamptz '2024-07-01' + i * interval '6 minutes 1 second',
    jsonb_build_object('id', md5('event' || i), 'crn', 'X' || lpad((i * 7 % 1000000)::text, 6, '0'),
        'timestamp', timestamptz '2024-07-01' + i * interval '6 minutes', 'eventDetails', jsonb_build_object(
        'personReference', jsonb_build_object('noms', 'A' || i % 10000 || 'BC', 'deliusEventNumber', i % 9),
        'premises', jsonb_build_object('name', 'House ' || 1 + i % 100, 'apCode', 'Q' || 1 + i % 100),
        'keyWorker', jsonb_build_object('staffCode', 'N' || i % 3000, 'forenames', 'Ada', 'surname', 'Fox', 'username', null),
        'bookedBy', jsonb_build_object('staffCode', 'N' || i % 2900), 'notes', substr(:'page', 1 + i * 19 % 3000, 640))),
    (enum_range(null::service_name))[1 + i % 3], 1 + i % :users
from generate_series(1, :events) i;

insert into audit_log (at, actor, action, entity, details)
select timestamptz '2025-08-01' + i * (interval '450 days' / :audits), 'USER_' || i % :users, (array['read','write','search'])[1 + i % 3],
    md5('application' || 1 + i % :applications)::uuid, case when i % 4 = 0 then jsonb_build_object('ip', '10.0.' || i % 250 || '.7') end
from generate_series(1, :audits) i;

insert into sessions_cache (token, payload, expires_at)
select md5('token' || i), decode(md5('p' || i) || md5('q' || i), 'hex'), timestamptz '2026-12-01' + i * interval '1 minute'
from generate_series(1, 500) i;

insert into flyway_schema_history
select i, to_char(timestamp '2022-08-01' + i * interval '9 days', 'YYYYMMDDHH24MISS'), 'change ' || i, 'SQL',
    'V' || i || '__change_' || i || '.sql', hashtext('change ' || i), 'service',
    timestamp '2022-08-01 10:00' + i * interval '9 days', 5 + i % 90, true
from generate_series(1, 150) i;
