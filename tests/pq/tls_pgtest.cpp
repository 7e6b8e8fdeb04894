// The TLS options of a conninfo hold for every connection of its side: a lane or a swap that fell back to
// plain text would be CVE-2020-25694 again.
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/program.hpp"

using namespace pgsluice::tests;

namespace {

// A server that takes nothing but TLS over TCP, with a certificate for 127.0.0.1 that signs itself.
void switch_tls_on(TestCluster& cluster) {
    const std::string data = cluster.data_directory();
    output_of(cluster.as_server_user({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                                      "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                                      "-keyout", data + "/server.key", "-out", data + "/server.crt"}));
    cluster.sql("alter system set ssl = on");
    cluster.restart();
}

} // namespace

TEST_CASE("every connection of both sides keeps the TLS options of its conninfo", "[pq][tls]") {
    // A plain first start, so that the certificate can be put into the data directory.
    TestCluster cluster;
    TestDatabase source(cluster), target(cluster);
    source.sql("create table t as select generate_series(1, 1000) as i; create index on t (i)");
    switch_tls_on(cluster);
    // From now on whoever comes without TLS is turned away.
    const std::string hba = cluster.data_directory() + "/pg_hba.conf";
    output_of(cluster.as_server_user({"sed", "-i", "s/^host /hostssl /", hba}));
    cluster.sql("select pg_reload_conf()");
    const std::string root = cluster.data_directory() + "/server.crt";
    const std::string tls = " sslmode=verify-full sslrootcert=" + conninfo_value(root);
    const std::string allowed = cluster.host() + "/" + target.name();

    const ProgramResult refused = run_program(pgsluice_command(
        {"check", "--source", source.conninfo() + " sslmode=disable", "--target", target.conninfo() + tls}));
    INFO(refused.text());
    CHECK(refused.exit_code == 1);

    const ProgramResult done =
        run_program(pgsluice_command({"refresh", "--source", source.conninfo() + tls, "--target",
                                      target.conninfo() + tls, "--allow-target", allowed, "--jobs", "2"}));
    INFO(done.text());
    REQUIRE(done.exit_code == 0);
    CHECK(target.value("select count(*) from t") == "1000");

    const ProgramResult facts = run_program(pgsluice_command(
        {"check", "--source", source.conninfo() + tls, "--target", target.conninfo() + tls}));
    INFO(facts.text());
    CHECK(facts.out.find("TLSv1") != std::string::npos);
}
