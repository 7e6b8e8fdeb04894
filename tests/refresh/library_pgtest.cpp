// The engine as a library, in a program with loops of its own.
#include "api/refresh.hpp"
#include "flow/deadline.hpp"
#include "pq/fixture.hpp"
#include "support/pair.hpp"

using namespace pgsluice;
using namespace pgsluice::tests;

namespace {
struct Silent : report::Observer {
    void on(const report::Event&) override {}
};
} // namespace

TEST_CASE_METHOD(PqFixture, "the coroutine form refreshes, and a cancelled one cleans up",
                 "[refresh][library]") {
    Pair pair("create table t as select generate_series(1, 100) i", "create table t (i int)");
    Silent observer;
    RefreshOptions options;
    options.connect.source = pair.source().conninfo();
    options.connect.target = pair.target().conninfo();
    options.allow_target = pair.allowed();
    const RefreshReport report = run(pgsluice::refresh(options, observer));
    CHECK(report.state == "swapped");
    CHECK(pair.target().value("select count(*) from t") == "100");
    pair.source().sql(
        "delete from t where i > 60; create materialized view slow as select pg_sleep(5)::text s");
    CHECK_THROWS(run(flow::with_timeout(pgsluice::refresh(options, observer), 3s, "too late")));
    CHECK(pair.target().value("select count(*) from t") == "100");
    CHECK(pair.leftovers().empty());
}
