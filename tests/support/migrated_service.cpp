#include "support/migrated_service.hpp"

#include <cstdio>
#include <fstream>

#include <unistd.h>

#include "support/catch.hpp"
#include "support/program.hpp"

namespace pgsluice::tests {

namespace json = boost::json;

// A service with Flyway: the source at its first migration, the target one ahead, with what people made there
// by hand.
const std::string first_release = R"(
create type mood as enum ('calm');
create table users (id serial primary key, email text not null unique);
create table orders (id int primary key, user_id int not null references users, note text);
insert into users (email) select 'u' || i || '@x' from generate_series(1, 20) i;
insert into orders select i, 1 + i % 20, 'n' || i from generate_series(1, 200) i;
create table flyway_schema_history (installed_rank int primary key, version varchar(50), description varchar(200),
    type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp default
    now(), execution_time int, success boolean);
insert into flyway_schema_history values (1, '1', 'init', 'SQL', 'V1__init.sql', 11, 'x', now(), 5, true),
    (2, null, 'views', 'SQL', 'R__views.sql', 12, 'x', now(), 5, true);
)";
const std::string additions = R"(
alter table users add column phone text;
alter type mood add value 'odd';
create table notes (id int primary key, user_id int references users, said text);
)";
const std::string rename_orders = "alter table orders rename to purchases;";
const std::string recorded =
    "insert into flyway_schema_history values (2, '2', 'next', 'SQL', 'V2__next.sql', 22, "
    "'x', now(), 5, true);";
// As the release's own tool writes it behind the source's entries.
const std::string recorded_behind =
    "insert into flyway_schema_history values (3, '2', 'next', 'SQL', 'V2__next.sql', "
    "22, 'x', now(), 5, true);";
const std::string by_hand = R"(
create table mine (id int primary key, user_id int references users, v text);
insert into mine values (1, 3, 'kept'), (2, 4, 'too');
create view who as select id, email from users;
create index users_lower on users (lower(email));
)";

// The target's history has no repeatable entry, so that both sides use rank 2 for something else.
std::string ahead(const std::string& migration) {
    return first_release + "delete from flyway_schema_history where installed_rank = 2;" + migration +
           recorded;
}

json::object run_refresh(const Pair& pair, std::vector<std::string> more, int code) {
    const std::string file = "/tmp/pgsluice-migrations-" + pair.target().name() + ".json";
    more.insert(more.end(), {"--report", file});
    const ProgramResult result = pair.run("refresh", more);
    INFO(result.text());
    REQUIRE(result.exit_code == code);
    const std::string text = output_of({"cat", file});
    output_of({"rm", file});
    return json::parse(text).as_object();
}

json::object plan_of(const Pair& pair, std::vector<std::string> more) {
    more.insert(more.end(), {"--format", "json"});
    const ProgramResult result = pair.run("plan", more);
    INFO(result.text());
    REQUIRE(result.ok());
    return json::parse(result.out).as_object();
}

json::object history_of(const Pair& pair, const std::vector<std::string>& more) {
    const json::object plan = plan_of(pair, more);
    REQUIRE(plan.at("migrations").as_array().size() == 1);
    return plan.at("migrations").as_array().at(0).as_object();
}

SqlFile::SqlFile(const std::string& sql) {
    static int count = 0;
    path = "/tmp/pgsluice-next-" + std::to_string(getpid()) + "-" + std::to_string(++count) + ".sql";
    std::ofstream(path) << sql;
}
SqlFile::~SqlFile() { std::remove(path.c_str()); }

std::string pending_of(const TestDatabase& database, const std::string& why) {
    return database.value(
        "select coalesce(string_agg(object, ', ' order by object), '') from pgsluice.pending where "
        "why = '" +
        why + "'");
}

bool there(const TestDatabase& database, const std::string& relation) {
    return database.value("select to_regclass('" + relation + "') is not null") == "t";
}

} // namespace pgsluice::tests
