// What stands between refresh and its two servers: addresses, passwords, names, poolers, a standby.
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/pgbouncer.hpp"
#include "support/session.hpp"
#include "support/trial.hpp"

using namespace pgsluice::tests;

namespace {

DatabaseOptions small() {
    DatabaseOptions options;
    options.sql = small_database;
    return options;
}

std::string without_password(const std::string& conninfo) {
    const std::size_t at = conninfo.find(" password=");
    REQUIRE(at != std::string::npos);
    std::string rest = conninfo.substr(at + 1);
    const std::size_t end = rest.find(' ');
    return conninfo.substr(0, at) + (end == std::string::npos ? "" : rest.substr(end));
}

// A file that only we may read, gone at the end.
struct PrivateFile {
    explicit PrivateFile(const std::string& text)
        : path(std::filesystem::temp_directory_path() / ("pgpass-" + std::to_string(::getpid()))) {
        std::ofstream{path} << text;
        std::filesystem::permissions(path, std::filesystem::perms{0600});
    }
    ~PrivateFile() { std::filesystem::remove(path); }
    std::string path;
};

} // namespace

TEST_CASE("wrong host, port and database name, on either side", "[refresh][bad]") {
    Trial trial;
    const std::string good_source = trial.source_conninfo, good_target = trial.target_conninfo;
    trial.source_conninfo += " host=no-such-host.invalid";
    trial.fails(1, {"cannot connect to the source", "no-such-host.invalid"});
    trial.source_conninfo = good_source + " port=1";
    trial.fails(1, {"cannot connect to the source", "listen"});
    trial.source_conninfo = good_source + " dbname=missing";
    trial.fails(1, {"cannot connect to the source", "3D000", "missing"});
    trial.source_conninfo = good_source;
    trial.target_conninfo = good_target + " host=no-such-host.invalid";
    trial.fails(1, {"cannot connect to the target", "no-such-host.invalid"});
    trial.target_conninfo = good_target + " port=1";
    trial.fails(1, {"cannot connect to the target", "listen"});
    trial.target_conninfo = good_target + " dbname=missing";
    trial.fails(1, {"cannot connect to the target", "3D000", "missing"});
    trial.target_conninfo = good_target + " sslmode=require";
    trial.fails(1, {"cannot connect to the target", "sslmode"});
    trial.target_conninfo = good_target + " user=nobody_here";
    trial.fails(1, {"cannot connect to the target", "28000", "nobody_here"});
}

TEST_CASE("no database named on either side is a usage error", "[refresh][bad]") {
    Trial trial;
    const std::string good_source = trial.source_conninfo;
    trial.source_conninfo = "host=127.0.0.1 user=app";
    trial.fails(2, {"the source names no database"});
    trial.source_conninfo = good_source;
    trial.target_conninfo = "postgresql://app@127.0.0.1";
    trial.fails(2, {"the target names no database"});
}

TEST_CASE("a wrong password names the option; one line of .pgpass serves all databases of the target",
          "[refresh][bad]") {
    ClusterOptions scram;
    scram.scram = true;
    TestCluster source_cluster(scram), target_cluster(scram);
    Trial trial(source_cluster, small(), target_cluster, small());
    const std::string good_source = trial.source_conninfo, good_target = trial.target_conninfo;
    trial.source_conninfo = without_password(good_source);
    trial.target_conninfo = without_password(good_target);
    ProgramOptions env;
    env.env = {{"SOURCE_PASSWORD", "wrong-s3cret"}, {"TARGET_PASSWORD", "app"}};
    const std::vector<std::string> options = {"--source-password-env", "SOURCE_PASSWORD",
                                              "--target-password-env", "TARGET_PASSWORD"};
    trial.fails(1, {"cannot connect to the source", "28P01", "--source-password-env"}, options, env);
    env.env = {{"SOURCE_PASSWORD", "app"}, {"TARGET_PASSWORD", "wrong-s3cret"}};
    const ProgramResult wrong =
        trial.fails(1, {"cannot connect to the target", "28P01", "--target-password-env"}, options, env);
    CHECK_FALSE(contains(wrong.err, "s3cret"));

    const PrivateFile pgpass("127.0.0.1:" + source_cluster.port() + ":" + trial.source().name() +
                             ":app:app\n127.0.0.1:" + target_cluster.port() + ":" + trial.target().name() +
                             ":app:app\n");
    ProgramOptions file;
    file.env = {{"PGPASSFILE", pgpass.path}};
    trial.succeeds({}, file);
}

TEST_CASE("a pooler in transaction mode is refused on either side, in session mode it works",
          "[refresh][bad]") {
    Trial trial;
    const std::string good_source = trial.source_conninfo, good_target = trial.target_conninfo;
    {
        const Pgbouncer source(trial.source().cluster(), PoolMode::transaction);
        const Pgbouncer target(trial.target().cluster(), PoolMode::transaction);
        trial.source_conninfo = source.conninfo(trial.source().name(), "app");
        trial.fails(1, {"transaction mode"});
        trial.source_conninfo = good_source;
        trial.target_conninfo = target.conninfo(trial.target().name(), "app");
        trial.fails(1, {"transaction mode"});
    }
    const Pgbouncer source(trial.source().cluster(), PoolMode::session);
    const Pgbouncer target(trial.target().cluster(), PoolMode::session);
    trial.source_conninfo = source.conninfo(trial.source().name(), "app");
    trial.target_conninfo = target.conninfo(trial.target().name(), "app");
    trial.succeeds();
}

TEST_CASE("a standby is no target; default_transaction_read_only is no obstacle", "[refresh][bad]") {
    TestCluster cluster;
    Trial trial(TestCluster::shared(), small(), cluster, small());
    SECTION("standby") {
        cluster.halt();
        output_of(cluster.as_server_user({"touch", cluster.data_directory() + "/standby.signal"}));
        cluster.restart();
        trial.fails(1, {"the target is a standby", "primary"});
    }
    SECTION("read only by default") {
        cluster.sql("alter database " + trial.target().name() + " set default_transaction_read_only = on");
        cluster.sql("alter role app set default_transaction_read_only = on");
        trial.succeeds();
    }
}

TEST_CASE("no other database lets the role in, and a maintenance database that is the target",
          "[refresh][bad]") {
    TestCluster cluster;
    Trial trial(TestCluster::shared(), small(), cluster, small());
    trial.fails(2, {"--maintenance-db names the target itself"}, {"--maintenance-db", trial.target().name()});
    trial.fails(1, {"cannot connect to the target", "3D000"}, {"--maintenance-db", "missing"});
    cluster.sql("revoke connect on database postgres from public");
    trial.succeeds(); // template1 is left
    cluster.sql("revoke connect on database template1 from public");
    const Untouched before(trial.target());
    cluster.sql("drop database " + trial.target().name() + "_previous with (force)");
    const ProgramResult refused = trial.refresh();
    INFO(refused.text());
    expect_failure(refused, 1,
                   {"no other database of the target's server lets this role in", "--maintenance-db"});
}

TEST_CASE("settings of the environment do not reach the startup packet", "[refresh][bad]") {
    Trial trial;
    const Pgbouncer source(trial.source().cluster(), PoolMode::session);
    trial.source_conninfo = source.conninfo(trial.source().name(), "app");
    ProgramOptions options;
    options.env = {{"PGOPTIONS", "-c geqo=off"}, {"PGAPPNAME", "cron"}, {"PGGEQO", "off"}};
    trial.succeeds({}, options);
}
