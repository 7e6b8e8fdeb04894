-- Schemas, extensions and types, under names that break careless quoting: quotes, newlines, backslashes,
-- dollars, upper case, reserved words, other alphabets, and 63 bytes.
create schema "Sch'ema ""1"" \n";
create schema "select";
create schema "Ext schéma";
create schema "шестьдесят-три-байта-это-очень-м";
create schema "line
break";
create schema empty_one;

create extension pg_trgm with schema "Ext schéma";
create extension citext with schema public;
create extension hstore with schema "Ext schéma";
create extension pgcrypto with schema "select";
create extension btree_gist with schema public;

create type public.mood as enum ('sad', 'ok', 'it''s', 'a,b', 'quo"te', 'back\slash', 'new
line', '', 'ünï');
alter type public.mood add value 'very sad' before 'sad';
alter type public.mood add value 'between' after 'ok';
create type "select"."Enum $1" as enum ('$1', '$$', 'DEFAULT');
create type "select".no_labels as enum ();

create domain public.positive as integer constraint "must be > 0" check (value > 0);
create domain public."Dömäin" as varchar(20) collate "C" default 'it''s' not null
    constraint c1 check (value <> 'x') constraint c2 check (length(value) < 15);
create domain "select".domain_of_domain as public.positive default 7 check (value < 1000);
create domain public.array_domain as integer[] check (array_length(value, 1) < 5);
create domain public.late_check as integer;

create type public.point3 as (x double precision, y double precision, "Z ""axis""" numeric(10, 2));
create type public.nested as (p public.point3, moods public.mood[], d public."Dömäin", s text collate "C");
create type "select"."table" as ("column" integer);
create type public.dropped_attribute as (a integer, b text, c integer);
alter type public.dropped_attribute drop attribute b;

create type public.float_range as range (subtype = double precision, subtype_diff = float8mi);
create collation "select"."Any Case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create type "select"."Range" as range (subtype = text, collation = "C", multirange_type_name = "select"."Ranges");

-- A range with a canonical function needs a shell type first, which only a superuser fills: not here. A
-- domain over an enum, over a composite, and over a range:
create domain public.good_mood as public.mood check (value <> 'sad');
create domain public.point_domain as public.point3 check (value is null or (value).x is not null);
create domain public.range_domain as int4range check (not isempty(value));
alter domain public.late_check add constraint "NOT valid" check (value < 100) not valid;
