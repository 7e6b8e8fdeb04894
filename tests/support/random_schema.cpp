#include "support/random_schema.hpp"

#include <array>
#include <functional>
#include <random>
#include <vector>

namespace pgsluice::tests {
namespace {

std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
    return text + "\"";
}

struct Table {
    std::string name; // qualified and quoted; every one has a column id, 1 to rows
    std::string partition_columns;
    bool is_partitioned = false, has_key = false, is_unlogged = false;
};

class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    std::string make(int steps) {
        sql_ = "set client_min_messages = warning; set check_function_bodies = off;\n";
        schemas_ = {"public"};
        for (int i = 0; i < 3; ++i) {
            schemas_.push_back(quoted(odd_name()));
            add("create schema " + schemas_.back());
        }
        add("create function step_up(i int) returns int language sql immutable as 'select i + 1'");
        functions_.push_back("public.step_up");
        make_table();
        using Step = void (Maker::*)();
        // A step that is here more often happens more often.
        constexpr std::array<Step, 22> all = {
            &Maker::make_type,    &Maker::make_domain, &Maker::make_domain, &Maker::make_function,
            &Maker::make_table,   &Maker::make_table,  &Maker::make_table,  &Maker::make_table,
            &Maker::make_tree,    &Maker::make_tree,   &Maker::make_key,    &Maker::make_key,
            &Maker::make_key,     &Maker::make_index,  &Maker::make_index,  &Maker::make_view,
            &Maker::make_view,    &Maker::make_view,   &Maker::make_reader, &Maker::make_reader,
            &Maker::make_trigger, &Maker::make_odds};
        for (int i = 0; i < steps; ++i) (this->*all[number(all.size())])();
        fill();
        for (const std::string& statement : at_the_end_) add(statement);
        return sql_;
    }

private:
    std::size_t number(std::size_t below) { return random_() % below; }
    bool chance(int percent) { return number(100) < static_cast<std::size_t>(percent); }
    template <class T>
    const T& any(const std::vector<T>& of) {
        return of[number(of.size())];
    }
    void add(const std::string& statement) { sql_ += statement + ";\n"; }

    std::string odd_name() {
        static const std::vector<std::string> parts = {"plain",  "Mixed Case", "quo\"te", "it's",
                                                       "$$",     "new\nline",  "dot.ted", "ünï",
                                                       "back\\", "select",     "-- c",    "%I"};
        return any(parts) + " " + std::to_string(++count_);
    }
    std::string name_in_schema() { return any(schemas_) + "." + quoted(odd_name()); }

    // A type, and an expression of it from an integer in column or parameter `n`.
    struct Value {
        std::string type, expression;
    };
    Value any_value(const std::string& n) {
        static const std::vector<Value> plain = {
            {"int", "@"},
            {"text", "'t' || @"},
            {"numeric(12,3)", "@ / 7.0"},
            {"timestamptz", "'2020-01-01 UTC'::timestamptz + @ * interval '1 hour'"},
            {"jsonb", "jsonb_build_object('k', @, 'x', null)"},
            {"bytea", "decode(md5(@::text), 'hex')"},
            {"int4range", "int4range(@, @ + 5)"},
            {"text[]", "array['a' || @, null, '']"},
            {"float8", "@ / 3.0::float8"},
            {"\"char\"", "'c'::\"char\""},
            {"bit(4)", "(@ % 16)::bit(4)"}};
        Value value = !types_.empty() && chance(45) ? any(types_) : any(plain);
        std::string expression;
        for (const char c : value.expression) expression += c == '@' ? n : std::string(1, c);
        value.expression = "(" + expression + ")";
        return value;
    }

    void make_type() {
        const std::string name = name_in_schema();
        if (chance(50)) {
            add("create type " + name + " as enum ('a', 'B''b', 'c d', 'é')");
            types_.push_back({name, "(array['a','B''b','c d','é'])[1 + @ % 4]::" + name});
            return;
        }
        const Value one = any_value("@"), two = any_value("@");
        add("create type " + name + " as (" + quoted("a b") + " " + one.type + ", c " + two.type + ")");
        types_.push_back({name, "row(" + one.expression + ", " + two.expression + ")::" + name});
        if (chance(30)) types_.push_back({name + "[]", "array[null, " + types_.back().expression + "]"});
    }

    void make_domain() {
        const std::string name = name_in_schema();
        std::string base = "int", expression = "@";
        if (!int_domains_.empty() && chance(60)) base = any(int_domains_);
        add("create domain " + name + " as " + base + (chance(40) ? " default 3" : "") + " constraint " +
            quoted(odd_name()) + " check (" + any(functions_) + "(value) > 0)" +
            (chance(20) ? " not null" : ""));
        int_domains_.push_back(name);
        types_.push_back({name, "@::" + name});
        if (chance(30)) types_.push_back({name + "[]", "array[@, 1]::" + name + "[]"});
    }

    // Immutable, int to int, at times through another one's body.
    void make_function() {
        const std::string name = name_in_schema(), other = any(functions_);
        if (chance(50))
            add("create function " + name + "(i int, " + quoted(odd_name()) +
                " int default 1) returns int language sql immutable begin atomic select " + other +
                "(i) + 1; end");
        else
            add("create function " + name +
                "(i int) returns int language plpgsql immutable as $f$ begin return " + other +
                "(i) + 1; end $f$");
        functions_.push_back(name);
    }

    std::string id_column() {
        switch (number(4)) {
        case 0: return "id serial";
        case 1: return "id int generated by default as identity (start 1000 increment 3)";
        case 2: return "id int generated always as identity";
        default: return "id int not null";
        }
    }

    void make_table() {
        Table table;
        table.name = name_in_schema();
        table.is_unlogged = chance(10);
        // A child's generated columns and defaults would be in its parent's way.
        const bool inherits = !parents_.empty() && chance(12);
        // An identity under a parent's default is a state that stock cannot restore either.
        std::string columns = inherits ? "id int not null" : id_column(), names = "id", values = "n";
        const std::size_t width = number(6);
        std::vector<std::string> dropped;
        for (std::size_t i = 0; i < width; ++i) {
            const Value value = any_value("n");
            const std::string column = quoted(odd_name());
            columns += ", " + column + " " + value.type;
            if (chance(15)) {
                dropped.push_back(column);
                continue;
            }
            names += ", " + column;
            values += ", " + value.expression;
        }
        if (!inherits && chance(30))
            columns += ", made int generated always as (" + any(functions_) + "(id)) stored";
        if (!inherits && chance(30)) columns += ", called int default " + any(functions_) + "(4)";
        if (!inherits && !readers_.empty() && chance(40))
            columns += ", seen bigint default " + any(readers_) + "()";
        if (chance(30))
            columns += ", constraint " + quoted(odd_name()) + " check (" + any(functions_) + "(id) > 0)";
        table.has_key = chance(80);
        if (table.has_key) columns += chance(70) ? ", primary key (id)" : ", unique (id) deferrable";
        add(std::string("create ") + (table.is_unlogged ? "unlogged " : "") + "table " + table.name + " (" +
            columns + ")" + (inherits ? " inherits (" + any(parents_) + ")" : ""));
        for (const std::string& column : dropped) add("alter table " + table.name + " drop column " + column);
        if (!inherits && chance(20)) parents_.push_back(table.name);
        fills_.push_back("insert into " + table.name + " (" + names + ") overriding system value select " +
                         values + " from generate_series(1, " + std::to_string(rows) + ") n");
        if (chance(50)) at_the_end_.push_back("comment on table " + table.name + " is 'it''s \\ a comment'");
        // A deferrable key cannot be referred to.
        if (table.has_key && columns.find("deferrable") == std::string::npos) keyed_.push_back(table);
        tables_.push_back(std::move(table));
    }

    void make_tree() {
        Table table;
        table.name = name_in_schema();
        table.is_partitioned = true;
        const Value value = any_value("n");
        const std::string column = quoted(odd_name());
        const bool by_hash = chance(50);
        add("create table " + table.name + " (id int not null, " + column + " " + value.type +
            ", primary key (id)) partition by " + (by_hash ? "hash" : "range") + " (id)");
        for (int i = 0; i < 3; ++i) {
            const std::string leaf = name_in_schema();
            const std::string at = std::to_string(i);
            const std::string bound = by_hash ? " for values with (modulus 3, remainder " + at + ")"
                                              : " for values from (" + std::to_string(i * 10) + ") to (" +
                                                    std::to_string(i * 10 + 10) + ")";
            if (chance(30)) { // attached, its columns in another order, one dropped
                add("create table " + leaf + " (gone int, " + column + " " + value.type +
                    ", id int not null); alter table " + leaf + " drop column gone; alter table " +
                    table.name + " attach partition " + leaf + bound);
            } else if (chance(30)) {
                add("create table " + leaf + " partition of " + table.name + bound +
                    " partition by hash (id)");
                for (int j = 0; j < 2; ++j)
                    add("create table " + name_in_schema() + " partition of " + leaf +
                        " for values with (modulus 2, remainder " + std::to_string(j) + ")");
            } else {
                add("create table " + leaf + " partition of " + table.name + bound);
            }
        }
        if (!by_hash) add("create table " + name_in_schema() + " partition of " + table.name + " default");
        if (chance(50)) add("create index on " + table.name + " (" + any(functions_) + "(id), id desc)");
        fills_.push_back("insert into " + table.name + " select n, " + value.expression +
                         " from generate_series(1, " + std::to_string(rows) + ") n");
        keyed_.push_back(table);
        tables_.push_back(std::move(table));
    }

    // Between any two tables, in both directions and to itself: circles come by themselves.
    void make_key() {
        if (keyed_.empty()) return;
        const Table& from = any(tables_);
        const Table& to = any(keyed_);
        if (to.is_unlogged != from.is_unlogged && to.is_unlogged) return;
        const bool not_valid = chance(10) && !from.is_partitioned && !to.is_partitioned;
        at_the_end_.push_back(
            "alter table " + from.name + " add constraint " + quoted(odd_name()) +
            " foreign key (id) references " + to.name + " (id)" + (chance(40) ? " on delete cascade" : "") +
            (chance(30) ? " deferrable initially deferred" : "") + (not_valid ? " not valid" : ""));
    }

    void make_index() {
        const Table& on = any(tables_);
        add("create index " + quoted(odd_name()) + " on " + on.name + " (" +
            (chance(50) ? "id" : "(" + any(functions_) + "(id) + 1)") + ")" +
            (chance(30) ? " where " + any(functions_) + "(id) > 3" : ""));
    }

    // Over tables, views, set-returning functions and materialized views, all with a column id.
    void make_view() {
        const std::string name = name_in_schema();
        std::string from = any(tables_).name + " a";
        const bool on_views = !views_.empty() && chance(70);
        if (on_views) from = any(views_) + " a join " + any(tables_).name + " b using (id)";
        const bool stored = chance(25);
        std::string columns = "id, " + any(functions_) + "(id) as f";
        if (!readers_.empty() && chance(40)) columns += ", " + any(readers_) + "() as r";
        add(std::string("create ") + (stored ? "materialized " : "") + "view " + name + " as select " +
            columns + " from " + from + (stored ? " with no data" : ""));
        views_.push_back(name);
        // What defaults may read while rows come in: nothing that is stored and still empty.
        if (!on_views && !stored) plain_views_.push_back(name);
        if (!stored) return;
        stored_.push_back(name);
        if (chance(60)) add("create index on " + name + " (id)");
    }

    // Stable, reads a table or view; what uses it does not show that to pg_depend.
    void make_reader() {
        const std::string name = name_in_schema();
        const std::string& reads = chance(70) || plain_views_.empty() ? any(tables_).name : any(plain_views_);
        if (chance(50))
            add("create function " + name +
                "() returns bigint language sql stable as $f$ select count(*) from " + reads + " $f$");
        else
            add("create function " + name +
                "() returns bigint language plpgsql stable security definer as $f$ begin return (select "
                "count(*) from " +
                reads + "); end $f$");
        readers_.push_back(name);
    }

    void make_trigger() {
        const std::string name = name_in_schema();
        const Table& on = any(tables_);
        add("create function " + name + "() returns trigger language plpgsql as 'begin return new; end'");
        add("create trigger " + quoted(odd_name()) + (chance(50) ? " before" : " after") +
            " insert or update of id on " + on.name + " for each row when (" + any(functions_) +
            "(new.id) <> 0) execute function " + name + "()");
    }

    void make_odds() {
        const Table& on = any(tables_);
        switch (number(6)) {
        case 0: {
            const std::string name = name_in_schema();
            add("create sequence " + name + " increment " + (chance(50) ? "-2" : "7") + " cycle");
            if (chance(60)) add("select nextval('" + literal(name) + "')");
            break;
        }
        case 1:
            add("create policy " + quoted(odd_name()) + " on " + on.name + " using (" + any(functions_) +
                "(id) > 1)");
            at_the_end_.push_back("alter table " + on.name + " enable row level security, " +
                                  (chance(50) ? "force" : "no force") + " row level security");
            break;
        case 2: add("grant select (id), update on " + on.name + " to public"); break;
        case 3:
            add("create statistics " + name_in_schema() + " on id, (" + any(functions_) + "(id)) from " +
                on.name);
            break;
        case 4: add("create table " + name_in_schema() + " ()"); break;
        default:
            add("create rule " + quoted(odd_name()) + " as on delete to " + on.name + " where " +
                any(functions_) + "(old.id) = 5 do instead nothing");
        }
    }

    static std::string literal(const std::string& text) {
        std::string escaped;
        for (const char c : text) escaped += c == '\'' ? "''" : std::string(1, c);
        return escaped;
    }

    // Rows last: defaults read tables that come later. No check fires twice by order: all values are > 0.
    void fill() {
        for (const std::string& statement : fills_) add(statement);
        for (const std::string& name : stored_) add("refresh materialized view " + name);
    }

    static constexpr int rows = 25;
    std::mt19937 random_;
    int count_ = 0;
    std::string sql_;
    std::vector<std::string> schemas_, functions_, readers_, int_domains_, views_, plain_views_, stored_,
        parents_, fills_, at_the_end_;
    std::vector<Value> types_;
    std::vector<Table> tables_, keyed_;
};

} // namespace

std::string random_schema(unsigned seed, int steps) { return Maker(seed).make(steps); }

} // namespace pgsluice::tests
