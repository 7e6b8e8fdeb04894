-- Triggers, rules, policies. They must not fire while rows are loaded: each leaves traces when it does.
create table public.traces (what text);
create function public.trace() returns trigger language plpgsql as $$
begin
    insert into public.traces values (tg_name || ' ' || tg_op || ' ' || coalesce(tg_argv[0], '-'));
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$;
create function public.trace_statement() returns trigger language plpgsql as
    $$begin insert into public.traces values (tg_name); return null; end$$;

create trigger "Tri""gger $1" before insert or update of name, amount or delete on public.plain for each row
    when (pg_trigger_depth() < 5) execute function public.trace('it''s', 'back\slash', E'new\nline', 'ü', '');
create trigger after_all after insert or delete or truncate on public.plain for each statement
    execute function public.trace_statement();
create trigger conditional after update on public.plain for each row
    when (old.name is distinct from new.name and new."doubled" > 1) execute function public.trace();
create constraint trigger constraint_trigger after insert on public.plain deferrable initially deferred for each row
    execute function public.trace('deferred');
create constraint trigger from_other after update on public.ring_a from public.ring_b not deferrable for each row
    execute function public.trace();
create trigger transition after update on public.tree referencing old table as "old rows" new table as new_rows
    for each statement execute function public.trace_statement();
create trigger transition_insert after insert on public.tree referencing new table as "New ""rows"""
    for each statement execute function public.trace_statement();
create trigger instead instead of insert or update or delete on public.simple_view for each row
    execute function public.trace('view');
create trigger disabled_one before insert on public.texts for each row execute function public.trace();
alter table public.texts disable trigger disabled_one;
create trigger always_one before insert on public.texts for each row execute function public.trace();
alter table public.texts enable always trigger always_one;
create trigger replica_one before insert on public.texts for each row execute function public.trace();
alter table public.texts enable replica trigger replica_one;
create trigger on_partitions after insert on public.by_hash for each row execute function public.trace('part');
alter table public.by_hash_0 disable trigger on_partitions;
alter table public.by_hash_2 enable replica trigger on_partitions;
create trigger only_one_partition before insert on public.by_hash_1_even for each row execute function public.trace();
create trigger on_child before insert on public.child for each row execute function public.trace();
create trigger "line
break" after insert on "line
break"."ta
ble" execute function public.trace_statement();
alter trigger after_all on public.plain depends on extension pg_trgm;
alter function public.trace_statement() depends on extension pg_trgm;

create rule "Rule ""1""" as on insert to public.empty_table where new.a > 5
    do also insert into public.traces values ('rule ' || new.t || ' it''s \ ');
create rule nothing as on delete to public.duplicates do instead nothing;
create rule disabled_rule as on update to public.duplicates do also select 1;
alter table public.duplicates disable rule disabled_rule;
create rule always_rule as on insert to public.orphans do also (insert into public.traces values ('r1'); notify "Channel x";);
alter table public.orphans enable always rule always_rule;
create rule view_insert as on insert to public.old_names
    do instead insert into public.dropped_columns (a) values (new.a) returning dropped_columns.*;

alter table public.plain enable row level security;
create policy "Poli""cy" on public.plain for select to all_kinds_writer, "rea'der \ ü" using (name <> 'it''s \' and current_user <> 'x');
create policy restricting on public.plain as restrictive for all to all_kinds_writer using (true)
    with check (amount < (select max(n) + 1 from public.grouped));
create policy for_insert on public.plain for insert with check (id > 0);
alter table public.grouped enable row level security, force row level security;
create policy all_rows on public.grouped using (n >= 0);
alter table public.tree force row level security;
create policy not_enabled on public.tree for update using (false);
alter table public.a_secured enable row level security;
insert into public.z_rights values (1);
insert into public.a_secured values (1), (2);
alter table public.by_list enable row level security;
create policy on_partitioned on public.by_list for delete using (kind = 'a');
