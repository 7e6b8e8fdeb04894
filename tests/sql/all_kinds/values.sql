-- Rows with every awkward value: what COPY text escapes, and the edges of each type.
create table public.texts (id integer, t text, v varchar(30), c char(5), b bytea);
copy public.texts from stdin;
1	\N	\N	\N	\N
2		empty	     	\\x
3	\\N	\\N	\\N	\\x00ff5c0a
4	\\.	\\.	\\.	\\x5c2e
5	tab\tnew\nline\rcr	a\bb	\\	\\xdeadbeef
6	back\\slash \\\\ two	'quote"	$$	\\x
7	ünï→日本語🐘	ß	ü	\\xc3bc
8	\001\002\037\177	\v\f	 x	\\x000102
9	{"a","b"}	(1,"x")	a,b	\\x2c
10	trailing space 	 leading	  e  	\\x20
\.
insert into public.texts select 100 + g, repeat(chr(32 + g % 90), g * 50), g::text, g::text, decode(repeat(to_hex(g % 16) || '0', g * 10), 'hex')
from generate_series(1, 60) g;
insert into public.texts values (500, repeat('0123456789abcdef', 200000), 'long', 'l', decode(repeat('5c4e0a09', 100000), 'hex'));

create table public.numbers (i2 smallint, i4 integer, i8 bigint, n numeric, n2 numeric(30, 10), r real, d double precision,
    m money, o oid, bo boolean);
insert into public.numbers values
    (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', -92233720368547758.08, 4294967295, true),
    (32767, 2147483647, 9223372036854775807, 'Infinity', 0.0000000001, 'Infinity', 'Infinity', 0.01, 0, false),
    (0, 0, 0, '-Infinity', -12345678901234567890.0123456789, '-Infinity', '-Infinity', null, null, null),
    (0, 0, 0, 0.000, 0, '-0', '-0', 0, 1, true),
    (1, 1, 1, 1e-300, 1, 1e-45, 5e-324, 1, 1, true),
    (1, 1, 1, repeat('9', 1000)::numeric, 1, 3.4028235e38, 1.7976931348623157e308, 1, 1, true),
    (1, 1, 1, ('0.' || repeat('123456789', 50))::numeric, 1, 0.1, 0.1, 1, 1, true);

create table public.times (d date, t time(3), tz timetz, ts timestamp, tstz timestamptz, i interval);
insert into public.times values
    ('infinity', '24:00:00', '23:59:59.999999+14:59', 'infinity', 'infinity', '178000000 years'),
    ('-infinity', '00:00:00', '00:00:00-15:59', '-infinity', '-infinity', '-178000000 years -11 mons -999999 days'),
    ('4714-11-24 BC', '12:34:56.789', '12:00+00', '4714-11-24 00:00:00 BC', '4714-11-25 00:00:00+00 BC', '1 mon -1 day'),
    ('5874897-12-31', '23:59:60', '12:00:00.000001-03:30', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '-0.000001 s'),
    ('0001-01-01', null, null, '2024-02-29 12:00', '2024-03-31 02:30:00+01', '00:00');

create table public.structures (j json, jb jsonb, x xml, u uuid, a integer[], a2 text[][], bounds integer[], bit bit(5), vb varbit,
    ip inet, net cidr, mac macaddr, mac8 macaddr8, ts tsvector, tq tsquery, jp jsonpath, lsn pg_lsn, snap pg_snapshot);
insert into public.structures values
    ('{"a" :  1, "a": 2, "\u00fc": "\\n"}', '{"a": 1e400, "n": null, "s": "it''s \\ \n ü \" "}', '<a b="c&amp;d">it''s<!-- x --></a>',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{}', '{{a,NULL},{"NULL","b,c"}}', '[-1:1]={1,2,3}', '10101', '', '::1/64', '10.0.0.0/8',
     '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a:1A ''it''''s'':2 ''b c''', 'a & (b | !''it''''s'':*)', '$."a b"[*] ? (@ > 1)', '16/B374D848', '10:20:10,14,15'),
    ('[]', '[]', '', null, '{NULL}', '{}', '{{{1}}}', '00000', '1', '10.1.2.3', '::/0', null, null, '', '', '$', '0/0', null),
    (null, 'null', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

create table public.geometry (p point, l line, s lseg, b box, pa path, po polygon, c circle);
insert into public.geometry values ('(NaN,Infinity)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1e300>'),
    ('(-0,1e-300)', null, null, null, '((0,0),(1,1))', null, null);

create table public.ranges (r4 int4range, r8 int8range, rn numrange, rd daterange, rt tstzrange, m int4multirange, md datemultirange);
insert into public.ranges values ('empty', '(,)', '[NaN,NaN]', '[2024-01-01,infinity)', '(,"2024-01-01 00:00:00+00")', '{}', '{[2024-01-01,2024-02-01),[2024-03-01,)}'),
    ('[1,1]', '[-9223372036854775808,)', '(0.1,0.2]', 'empty', 'empty', '{[1,3),[5,7)}', null);

create table public.duplicates (a integer, t text);
insert into public.duplicates select g % 3, 'same' from generate_series(1, 3000) g;
create table public.empty_table (a integer, t text);
