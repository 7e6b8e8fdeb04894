#include "support/trial.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <thread>

namespace pgsluice::tests {
namespace {

DatabaseOptions owned_by_app(const std::string& sql) {
    DatabaseOptions options;
    options.sql = sql;
    return options;
}

} // namespace

const char* const small_database = R"(
create table users (id serial primary key, name text not null);
create table orders (id int primary key, user_id int references users, note text);
insert into users (name) select 'user ' || i from generate_series(1, 100) i;
insert into orders select i, 1 + i % 100, repeat('x', 100) from generate_series(1, 1000) i;
)";

Untouched::Untouched(TestDatabase& target)
    : target_(target), databases_(target.cluster().databases()),
      properties_(database_properties(target.cluster(), target.name())),
      dump_(stock_dump(target.superuser_conninfo())),
      checksums_(table_checksums(target.superuser_conninfo())) {}

void Untouched::check() const {
    CHECK(target_.cluster().databases() == databases_);
    CHECK(database_properties(target_.cluster(), target_.name()) == properties_);
    const std::string difference = first_difference(dump_, stock_dump(target_.superuser_conninfo()));
    INFO(difference);
    CHECK(difference.empty());
    CHECK(table_checksums(target_.superuser_conninfo()) == checksums_);
}

Trial::Trial(const std::string& source_sql, const std::string& target_sql)
    : Trial(TestCluster::shared(), owned_by_app(source_sql), TestCluster::shared_target(),
            owned_by_app(target_sql)) {}

Trial::Trial(TestCluster& source_cluster, const DatabaseOptions& source, TestCluster& target_cluster,
             const DatabaseOptions& target)
    : source_(source_cluster, source), target_(target_cluster, target) {
    source_conninfo = source_.conninfo();
    target_conninfo = target_.conninfo();
    allow_target = allowed();
}

std::string Trial::allowed() const { return target_.cluster().host() + "/" + target_.name(); }

std::vector<std::string> Trial::arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> args = {"refresh"};
    const auto add = [&args](const char* option, const std::string& value) {
        if (value.empty()) return;
        args.emplace_back(option);
        args.push_back(value);
    };
    add("--source", source_conninfo);
    add("--target", target_conninfo);
    add("--allow-target", allow_target);
    args.insert(args.end(), more.begin(), more.end());
    return args;
}

ProgramResult Trial::refresh(const std::vector<std::string>& more, const ProgramOptions& options) const {
    return pgsluice(arguments(more), options);
}

ProgramResult Trial::fails(int code, const std::vector<std::string>& words,
                           const std::vector<std::string>& more, const ProgramOptions& options) {
    const Untouched before(target_);
    ProgramResult result = refresh(more, options);
    INFO(result.text());
    expect_failure(result, code, words);
    before.check();
    return result;
}

ProgramResult Trial::succeeds(const std::vector<std::string>& more, const ProgramOptions& options) {
    ProgramResult result = refresh(more, options);
    INFO(result.text());
    CHECK(result.exit_code == 0);
    expect_equal_databases(source_, target_);
    return result;
}

void expect_failure(const ProgramResult& result, int code, const std::vector<std::string>& words) {
    CHECK(result.exit_code == code);
    CHECK_FALSE(result.timed_out);
    CHECK(contains(result.err, "HINT: "));
    for (const std::string& word : words) {
        INFO("missing: " << word);
        CHECK(contains(result.err, word));
    }
}

bool comes_true(const TestDatabase& database, const std::string& query, const std::string& wanted) {
    for (int attempt = 0; attempt < 300; ++attempt) {
        if (database.value(query) == wanted) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
}

} // namespace pgsluice::tests
