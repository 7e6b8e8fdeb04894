#include "arguments.hpp"

#include <algorithm>

#include "api.hpp"
#include "base/error.hpp"
#include "cli/fake_api.hpp"
#include "cli/world_fixture.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using namespace pgsluice::cli;

namespace {

using Words = std::vector<std::string>;

const Words both = {"--source", "service=prod", "--target", "service=preprod"};

Words with(const std::string& command, const Words& more, const Words& first = both) {
    Words words = {command};
    words.insert(words.end(), first.begin(), first.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

Arguments parse(const Words& words, TestWorld world = {}) {
    const FakeApi fake;
    return parse_arguments(words, fake.api(), world.world()).arguments.value();
}

// The usage error that the words end in; fails the test when they are taken.
Error refusal(const Words& words, TestWorld world = {}) {
    try {
        parse(words, std::move(world));
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        CHECK_FALSE(error.hint().empty());
        return error;
    }
    FAIL("was accepted");
    throw std::logic_error("unreachable");
}

} // namespace

TEST_CASE("refresh takes every option of this release") {
    const Arguments it = parse(with("refresh", {"--jobs",
                                                "3",
                                                "--index-jobs=2",
                                                "--memory",
                                                "128MB",
                                                "--source-yield",
                                                "500ms",
                                                "--lock-timeout",
                                                "1min",
                                                "--extras",
                                                "drop",
                                                "--drop-previous",
                                                "--acl",
                                                "both",
                                                "--map-role",
                                                "a=b",
                                                "--map-role",
                                                "c=d=e",
                                                "--migrations",
                                                "public.m",
                                                "--with",
                                                "user-mapping",
                                                "--with",
                                                "all",
                                                "--template",
                                                "tpl",
                                                "--allow-target",
                                                "db.example/app",
                                                "--verify",
                                                "checksum",
                                                "--source-is-right",
                                                "--strict",
                                                "--maintenance-db",
                                                "mdb",
                                                "--report",
                                                "r.json",
                                                "--log",
                                                "json",
                                                "--quiet"}));
    const RefreshOptions& refresh = it.refresh;
    CHECK(it.command == Command::refresh);
    CHECK(refresh.connect.source == "service=prod");
    CHECK(refresh.connect.target == "service=preprod");
    CHECK(refresh.connect.maintenance_db == "mdb");
    CHECK(refresh.jobs == 3);
    CHECK(refresh.index_jobs == 2);
    CHECK(refresh.memory_bytes == 128u << 20);
    CHECK(refresh.source_yield == std::chrono::milliseconds(500));
    CHECK(refresh.lock_timeout == std::chrono::minutes(1));
    CHECK(refresh.extras == ExtrasChoice::drop);
    CHECK_FALSE(refresh.keep_previous);
    CHECK(refresh.acl == AclSource::both);
    CHECK(refresh.map_roles == std::map<std::string, std::string>{{"a", "b"}, {"c", "d=e"}});
    CHECK(refresh.migration_tables == Words{"public.m"});
    CHECK(refresh.with_kinds == Words{"user mapping", "all"});
    CHECK(refresh.template_database == "tpl");
    CHECK(refresh.allow_target == "db.example/app");
    CHECK(refresh.verify == VerifyDepth::checksum);
    CHECK(refresh.source_is_right);
    CHECK(refresh.strict);
    CHECK(it.report_path == "r.json");
    CHECK(it.log == LogFormat::json);
    CHECK(it.verbosity == Verbosity::quiet);
}

TEST_CASE("without options the engine's own defaults stand") {
    const RefreshOptions refresh = parse(with("refresh", {})).refresh, defaults;
    CHECK(refresh.jobs == defaults.jobs);
    CHECK(refresh.memory_bytes == defaults.memory_bytes);
    CHECK(refresh.extras == ExtrasChoice::keep);
    CHECK(refresh.keep_previous);
    CHECK(refresh.acl == AclSource::target);
    CHECK(refresh.lock_timeout == defaults.lock_timeout);
}

TEST_CASE("the environment names both sides and holds passwords") {
    TestWorld world;
    world.environment = {{"PGSLUICE_SOURCE", "host=a dbname=x password=s"},
                         {"PGSLUICE_TARGET", "host=b dbname=x"},
                         {"PW", "geheim"}};
    const Arguments it = parse({"refresh", "--target-password-env", "PW"}, std::move(world));
    CHECK(it.refresh.connect.source == "host=a dbname=x password=s");
    CHECK(it.refresh.connect.target_password == "geheim");
    CHECK(it.refresh.connect.source_password.empty());
}

TEST_CASE("the command line wins over the environment") {
    TestWorld world;
    world.environment = {{"PGSLUICE_SOURCE", "service=other"}};
    CHECK(parse(with("plan", {}), std::move(world)).refresh.connect.source == "service=prod");
}

TEST_CASE("each command takes what it needs") {
    const Words target = {"--target", "service=preprod"};
    CHECK(parse(with("verify", {"--rows=checksum", "--jobs", "2"})).rows == VerifyDepth::checksum);
    CHECK(parse(with("plan", {"--format", "json"})).format == OutputFormat::json);
    CHECK(parse(with("check", {"--verbose"})).verbosity == Verbosity::verbose);
    CHECK(parse(with("rollback", {}, target)).command == Command::rollback);
    CHECK(parse(with("cleanup", {}, target)).command == Command::cleanup);
    CHECK(parse(with("history", {"--limit", "5"}, target)).runs_max == 5);
    CHECK(parse(with("allow-target", {"--yes", "app"})).yes == "app");
    CHECK(parse(with("allow-target", {"--allowed-source", "/run/pg/app"}, target)).allowed_source ==
          "/run/pg/app");
}

TEST_CASE("what is wrong is refused by name") {
    CHECK(refusal({}).message() == "no command given");
    CHECK(refusal({"refresh"}).message() == "no target given");
    CHECK(refusal({"refresh", "--target", "service=x"}).message() == "no source given");
    CHECK(refusal({"allow-target", "--target", "service=x"}).message() == "no source given");
    CHECK(refusal(with("refresh", {"--jobs", "0"})).message() == "--jobs cannot be \"0\"");
    CHECK(refusal(with("refresh", {"--jobs", "4x"})).message() == "--jobs cannot be \"4x\"");
    CHECK(refusal(with("refresh", {"--index-jobs", "65"})).message() == "--index-jobs cannot be \"65\"");
    CHECK(refusal(with("refresh", {"--memory", "much"})).message() == "--memory cannot be \"much\"");
    CHECK(refusal(with("refresh", {"--memory", "2MB", "--jobs", "3"})).message() ==
          "--memory 2.0 MiB is too little for 3 lanes");
    CHECK(refusal(with("refresh", {"--memory", "1000"})).message() ==
          "--memory 1000 B is too little for 1 lane");
    CHECK(refusal(with("refresh", {"--lock-timeout", "0"})).message() == "--lock-timeout cannot be 0");
    CHECK(refusal(with("refresh", {"--source-yield", "soon"})).message() ==
          "--source-yield cannot be \"soon\"");
    CHECK(refusal(with("refresh", {"--extras", "some"})).message() == "--extras does not know \"some\"");
    CHECK(refusal(with("refresh", {"--extras", "some"})).hint() == "one of: keep, drop, fail");
    CHECK(refusal(with("refresh", {"--acl", "x"})).message() == "--acl does not know \"x\"");
    CHECK(refusal(with("refresh", {"--with", "wires"})).message() == "--with does not know \"wires\"");
    CHECK(refusal(with("refresh", {"--map-role", "a"})).message() == "--map-role cannot be \"a\"");
    CHECK(refusal(with("refresh", {"--map-role", "a=b", "--map-role", "a=c"})).message() ==
          "--map-role maps role a twice");
    CHECK(refusal(with("refresh", {"--allow-target", "app"})).message() ==
          "--allow-target cannot be \"app\"");
    CHECK(refusal(with("verify", {"--rows", "all"})).message() == "--rows does not know \"all\"");
    CHECK(refusal(with("refresh", {"--format", "json"})).message() ==
          "option --format is not known to pgsluice refresh");
    refusal(with("refresh", {"--keep-previous", "--drop-previous"}));
    refusal(with("refresh", {"--quiet", "--verbose"}));
    refusal({"dump"});
}

TEST_CASE("a list option takes one word, not those that follow it") {
    refusal(with("refresh", {"--with", "all", "all"}));
    CHECK(parse(with("refresh", {"--map-role", "[x=y]"})).refresh.map_roles.count("[x") == 1);
}

TEST_CASE("a password on the command line is refused and not repeated") {
    const std::string target = "service=preprod";
    for (const std::string conninfo : {"host=a password=geheim", "postgresql://u:geheim@h/d",
                                       "postgres://u@h/d?pass%77ord=geheim", "password = 'geheim'"}) {
        const Error error = refusal({"refresh", "--source", conninfo, "--target", target});
        CHECK(error.message() == "--source holds a password, which everybody on this machine can read");
        CHECK(error.hint().find("PGSLUICE_SOURCE") != std::string::npos);
        CHECK(std::string(error.what()).find("geheim") == std::string::npos);
    }
    // A conninfo that nobody has quoted: its rest is a word of its own.
    const Error error = refusal({"refresh", "--target", target, "--source", "host=a", "password=geheim"});
    CHECK(std::string(error.what()).find("geheim") == std::string::npos);
}

TEST_CASE("a password variable that is not there is a mistake, not an empty password") {
    CHECK(refusal(with("refresh", {"--source-password-env", "NO"})).message() ==
          "--source-password-env: environment variable NO is not set");
    TestWorld world;
    world.environment = {{"EMPTY", ""}};
    CHECK(refusal(with("refresh", {"--target-password-env", "EMPTY"}), std::move(world)).message() ==
          "--target-password-env: environment variable EMPTY is empty");
}

TEST_CASE("what becomes of migrations is said in options") {
    TestWorld world;
    world.environment = {{"HOME_OF_IT", "x"}};
    const Arguments it = parse(with("refresh", {"--drift", "carry", "--migrate", "psql -f 'a b.sql'",
                                                "--migrate-shell", "--migrate-timeout", "90s", "--no-swap",
                                                "--discard-waiting", "--target-password-env", "HOME_OF_IT"}),
                               std::move(world));
    CHECK(it.refresh.drift == DriftChoice::carry);
    CHECK(it.refresh.migrate == "psql -f 'a b.sql'");
    CHECK(it.refresh.migrate_shell);
    CHECK(it.refresh.migrate_timeout == std::chrono::seconds(90));
    CHECK_FALSE(it.refresh.swap);
    CHECK(it.refresh.discard_waiting);
    CHECK(it.refresh.connect.password_variables == Words{"HOME_OF_IT"});
    CHECK(refusal(with("refresh", {"--drift", "maybe"})).hint() == "one of: replay, carry, fail");
    const Arguments swap = parse({"swap", "--target", "service=x", "--drop-previous"});
    CHECK(swap.command == Command::swap);
    CHECK_FALSE(swap.refresh.keep_previous);
    CHECK(parse(with("refresh", {"--keep-previous"})).refresh.keep_previous); // not mistaken for --keep
}

TEST_CASE("plan keeps the words of the refresh that it describes") {
    const Arguments it = parse(
        with("plan", {"--format", "json", "--verbose", "--report", "x", "--strict", "--map-role", "a=b"}));
    const Words& words = it.refresh_words;
    for (const std::string word : {"--source", "service=prod", "--target", "--strict", "--map-role", "a=b"})
        CHECK(std::find(words.begin(), words.end(), word) != words.end());
    for (const std::string word : {"--format", "json", "--verbose", "--report", "x"})
        CHECK(std::find(words.begin(), words.end(), word) == words.end());
}

TEST_CASE("help and version are answers, not errors") {
    TestWorld world;
    const Api api = FakeApi{}.api();
    CHECK(parse_arguments({"--version"}, api, world.world()).text.starts_with("pgsluice "));
    CHECK(parse_arguments({"--help"}, api, world.world()).text.find("refresh") != std::string::npos);
    const std::string help = parse_arguments({"refresh", "--help"}, api, world.world()).text;
    CHECK(help.find("--source-yield") != std::string::npos);
    CHECK(help.find("Example:") != std::string::npos);
}

TEST_CASE("a command whose story the build lacks does not exist") {
    TestWorld world;
    Api api = FakeApi{}.api();
    api.verify = nullptr;
    CHECK_THROWS_AS(parse_arguments(with("verify", {}), api, world.world()), Error);
    CHECK(parse_arguments({"--help"}, api, world.world()).text.find("verify") == std::string::npos);
}
