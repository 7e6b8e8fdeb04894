// Rules of section 2 on hand-made histories: which tool's table it is, which versions are one, what each row
// of the table of decisions says.
#include "merge/migrations.hpp"
#include "support/catch.hpp"

using namespace pgsluice::merge;

namespace {

using Columns = std::vector<TableShape::Column>;

TableShape shape(const std::string& name, Columns columns) { return {"app", name, std::move(columns)}; }

std::string tool_of(const std::string& name, const Columns& columns, bool named = false) {
    const auto found = recognise_history(shape(name, columns), named);
    return found ? found->tool.name : "none";
}

const Columns flyway = {{"installed_rank", "integer"},
                        {"version", "character varying"},
                        {"description", "character varying"},
                        {"type", "character varying"},
                        {"script", "character varying"},
                        {"checksum", "integer"},
                        {"installed_by", "text"},
                        {"success", "boolean"}};

HistoryTable table_of(const std::string& tool) {
    HistoryTable table;
    table.schema = "app";
    table.name = "history";
    for (const MigrationTool& known : migration_tools())
        if (known.name == tool) table.tool = known;
    REQUIRE(table.tool.name == tool);
    return table;
}

Migration entry(const std::string& version, const std::string& checksum = "") {
    Migration made;
    made.version = version;
    made.checksum = checksum;
    return made;
}

std::vector<std::string> versions(const std::vector<Migration>& migrations) {
    std::vector<std::string> list;
    for (const Migration& migration : migrations) list.push_back(migration.version);
    return list;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("each tool's history is known by name and columns") {
    CHECK(tool_of("flyway_schema_history", flyway) == "Flyway");
    CHECK(tool_of("schema_version", flyway) == "Flyway");
    CHECK(tool_of("databasechangelog", {{"id", "character varying"},
                                        {"author", "character varying"},
                                        {"filename", "character varying"},
                                        {"orderexecuted", "integer"},
                                        {"exectype", "character varying"},
                                        {"md5sum", "character varying"},
                                        {"description", "character varying"}}) == "Liquibase");
    CHECK(tool_of("DATABASECHANGELOG", {{"ID", "character varying"},
                                        {"AUTHOR", "character varying"},
                                        {"FILENAME", "character varying"},
                                        {"ORDEREXECUTED", "integer"},
                                        {"EXECTYPE", "character varying"},
                                        {"MD5SUM", "character varying"}}) == "Liquibase");
    CHECK(tool_of("schema_migrations", {{"version", "character varying"}}) == "Rails");
    CHECK(tool_of("schema_migrations", {{"version", "bigint"}, {"inserted_at", "timestamp"}}) == "Ecto");
    CHECK(tool_of("schema_migrations", {{"version", "bigint"}, {"dirty", "boolean"}}) == "golang-migrate");
    CHECK(tool_of("alembic_version", {{"version_num", "character varying"}}) == "Alembic");
    CHECK(tool_of("django_migrations", {{"id", "bigint"},
                                        {"app", "character varying"},
                                        {"name", "character varying"},
                                        {"applied", "timestamp with time zone"}}) == "Django");
    CHECK(tool_of("knex_migrations", {{"id", "integer"},
                                      {"name", "character varying"},
                                      {"batch", "integer"},
                                      {"migration_time", "timestamp with time zone"}}) == "Knex");
    CHECK(tool_of("_prisma_migrations", {{"id", "character varying"},
                                         {"checksum", "character varying"},
                                         {"finished_at", "timestamp with time zone"},
                                         {"migration_name", "character varying"},
                                         {"logs", "text"},
                                         {"rolled_back_at", "timestamp with time zone"}}) == "Prisma");
}

TEST_CASE("a table of a tool's name with other columns is none of its own") {
    CHECK(tool_of("schema_version", {{"version", "integer"}}) == "none");
    CHECK(tool_of("schema_migrations", {{"version", "bigint"}}) == "none");
    CHECK(tool_of("flyway_schema_history", {{"id", "integer"}}) == "none");
    CHECK(tool_of("orders", flyway) == "none");
}

TEST_CASE("--migrations: a tool's columns under any name, else the best match, else nothing") {
    CHECK(tool_of("my_history", flyway, true) == "Flyway");
    const auto guessed = recognise_history(
        shape("changes",
              {{"id", "integer"}, {"Script_Name", "text"}, {"hash", "text"}, {"success", "boolean"}}),
        true);
    REQUIRE(guessed);
    CHECK(guessed->tool.version == "@script_name");
    CHECK(guessed->column("script_name") == "Script_Name");
    CHECK(guessed->tool.checksum == "@hash");
    CHECK(guessed->tool.success == "@success");
    CHECK(guessed->tool.rank == "id");
    const auto numbers = recognise_history(shape("v", {{"version", "bigint"}}), true);
    REQUIRE(numbers);
    CHECK(numbers->tool.form == VersionForm::integer);
    CHECK(tool_of("nothing", {{"colour", "text"}}, true) == "none");
}

TEST_CASE("versions are one where their tool says so") {
    const auto flyways = [](const char* version) {
        return canonical_version(VersionForm::numbered, version);
    };
    CHECK(flyways("1.02") == flyways("1_2"));
    CHECK(flyways("1.2.0") == flyways("1.2"));
    CHECK(flyways("1.10") != flyways("1.1"));
    CHECK(compare_canonical(flyways("1.9"), flyways("1.10")) < 0);
    CHECK(compare_canonical(flyways("2"), flyways("1.10")) > 0);
    CHECK(compare_canonical(flyways("1"), flyways("1.0.1")) < 0);
    CHECK(canonical_version(VersionForm::integer, "0012") == "12");
    CHECK(canonical_version(VersionForm::text, "0012") == "0012");
}

TEST_CASE("migrations are compared by version and checksum, never by count") {
    Migration failed = entry("9", "1"), repeatable = entry("", "7");
    failed.success = false;
    repeatable.repeatable = true;
    const HistoryTable table = table_of("Flyway");
    const MigrationDifference found =
        compare_history(table, {entry("1", "a"), entry("2", "b"), entry("3.10", "c"), repeatable},
                        {entry("1.0", "a"), entry("2", "B"), entry("3.1", "d"), failed});
    CHECK(versions(found.only_source) == Names{"3.10"});
    CHECK(versions(found.only_target) == Names{"3.1"});
    REQUIRE(found.different_checksum.size() == 1);
    CHECK(found.different_checksum[0].checksum == "b");
    CHECK(found.failed_or_repeatable.size() == 2);
    CHECK(standing(found) == Standing::diverged);
    CHECK(compare_history(table, {entry("1", "a")}, {entry("1", "a"), failed}).equal());
}

TEST_CASE("what Flyway took back is not applied, and a baseline stands for all below it") {
    const HistoryTable table = table_of("Flyway");
    Migration undo = entry("3");
    undo.undone = true;
    CHECK(
        compare_history(table, {entry("1"), entry("2")}, {entry("1"), entry("2"), entry("3"), undo}).equal());
    CHECK_FALSE(compare_history(table, {entry("2")}, {entry("2"), entry("3"), undo, entry("3")}).equal());
    Migration baseline = entry("2");
    baseline.baseline = true;
    CHECK(compare_history(table, {entry("1", "x"), entry("2", "y"), entry("3", "z")},
                          {baseline, entry("3", "z")})
              .equal());
}

TEST_CASE("Liquibase's checksums compare within one version of it") {
    const HistoryTable table = table_of("Liquibase");
    CHECK(compare_history(table, {entry("f::1::me", "8:aa")}, {entry("f::1::me", "9:bb")}).equal());
    CHECK(compare_history(table, {entry("f::1::me", "")}, {entry("f::1::me", "9:bb")}).equal());
    CHECK_FALSE(compare_history(table, {entry("f::1::me", "9:aa")}, {entry("f::1::me", "9:bb")}).equal());
    Migration again = entry("f::1::me", "9:bb");
    again.repeatable = true;
    CHECK(compare_history(table, {entry("f::1::me", "9:aa")}, {again}).equal());
}

TEST_CASE("tools that keep only the last version") {
    const HistoryTable numbers = table_of("golang-migrate");
    CHECK(standing(compare_history(numbers, {entry("4")}, {entry("12")})) == Standing::target_ahead);
    CHECK(standing(compare_history(numbers, {entry("12")}, {entry("4")})) == Standing::source_ahead);
    CHECK(standing(compare_history(numbers, {entry("4")}, {entry("4")})) == Standing::equal);
    // Alembic's names have no order: which one is ahead, nobody can tell from the table.
    const HistoryTable names = table_of("Alembic");
    CHECK(standing(compare_history(names, {entry("ae1027a6acf")}, {entry("27c6a30d7c24")})) ==
          Standing::diverged);
    CHECK(standing(compare_history(names, {}, {entry("27c6a30d7c24")})) == Standing::target_ahead);
}

TEST_CASE("the table of decisions") {
    const HistoryTable table = table_of("Django");
    const MigrationDifference equal = compare_history(table, {entry("a")}, {entry("a")});
    const MigrationDifference ahead = compare_history(table, {entry("a")}, {entry("a"), entry("b")});
    const MigrationDifference behind = compare_history(table, {entry("a"), entry("b")}, {entry("a")});
    const MigrationDifference apart =
        compare_history(table, {entry("a"), entry("c")}, {entry("a"), entry("b")});
    const auto action = [](const MigrationDifference& difference, DriftChoice choice, bool migrate = false) {
        return decide_history(difference, {choice, migrate}).action;
    };
    using enum DriftAction;
    for (const DriftChoice choice : {DriftChoice::replay, DriftChoice::carry, DriftChoice::fail})
        CHECK(action(equal, choice) == none);
    CHECK(action(equal, DriftChoice::replay, true) == none);
    CHECK(action(ahead, DriftChoice::replay, true) == migrate);
    CHECK(action(ahead, DriftChoice::replay) == replay);
    CHECK(action(ahead, DriftChoice::carry) == carry);
    CHECK(action(ahead, DriftChoice::fail) == fail);
    CHECK(action(behind, DriftChoice::replay) == source_ahead);
    CHECK(action(behind, DriftChoice::replay, true) == source_ahead);
    CHECK(action(behind, DriftChoice::carry) == source_ahead);
    CHECK(action(behind, DriftChoice::fail) == fail);
    CHECK(action(apart, DriftChoice::replay) == replay);
    CHECK(action(apart, DriftChoice::replay, true) == migrate);
    CHECK(action(apart, DriftChoice::carry) == fail);
    CHECK(action(apart, DriftChoice::fail) == fail);
    CHECK(describe(apart) == "only the source has c; only the target has b");
}

TEST_CASE("the worse of two histories decides the run") {
    const HistoryTable table = table_of("Django");
    const MigrationDifference equal = compare_history(table, {entry("a")}, {entry("a")});
    const MigrationDifference ahead = compare_history(table, {}, {entry("a"), entry("b")});
    const MigrationDifference behind = compare_history(table, {entry("b")}, {});
    const DriftDecision decision = decide_drift({equal, behind, ahead}, {});
    CHECK(decision.action == DriftAction::replay);
    CHECK(decision.extras_are_migrations());
    CHECK(decision.applied_again == 2);
    REQUIRE(decision.histories.size() == 3);
    CHECK(decision.histories[1].action == DriftAction::source_ahead);
    CHECK(decide_drift({behind, equal}, {}).action == DriftAction::source_ahead);
    CHECK(decide_drift({}, {}).action == DriftAction::none);
    CHECK(decide_drift({}, {DriftChoice::replay, true}).action == DriftAction::migrate);
}

TEST_CASE("a history that one side lacks counts as empty there") {
    History history;
    history.table = table_of("Knex");
    history.entries = {entry("1_init.js")};
    const auto found = compare_histories({}, {history});
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].in_source);
    CHECK(standing(found[0]) == Standing::target_ahead);
    CHECK(standing(compare_histories({history}, {}).front()) == Standing::source_ahead);
}
