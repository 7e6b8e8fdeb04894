// Connection strings: what is filled in, what is kept for every connection, what is never shown.
#include "pq/conninfo.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "base/error.hpp"
#include "pq/server_error.hpp"
#include "support/catch.hpp"

using namespace pgsluice;
using pq::Conninfo;

namespace {

struct Environment {
    Environment(const char* name, const std::string& value) : name_(name) {
        ::setenv(name, value.c_str(), 1);
    }
    ~Environment() { ::unsetenv(name_); }
    const char* name_;
};

} // namespace

TEST_CASE("both forms of a connection string") {
    const Conninfo uri = Conninfo::parse("postgresql://me:s3cret@db.example:6432/prod?sslmode=verify-full");
    CHECK(uri.host() == "db.example");
    CHECK(uri.port() == "6432");
    CHECK(uri.database() == "prod");
    CHECK(uri.user() == "me");
    CHECK(uri.get("password") == "s3cret");
    CHECK(uri.get("sslmode") == "verify-full");
    CHECK(uri.display() == "db.example:6432/prod as me");
    const Conninfo pairs = Conninfo::parse("host=h dbname=d user=u");
    CHECK(Conninfo::parse("host=h dbname='it\\'s' user=u").database() == "it's");
    CHECK(pairs.host() == "h");
}

TEST_CASE("every option stays when another database is named") {
    const Conninfo other =
        Conninfo::parse("host=h dbname=a sslmode=verify-ca sslrootcert=/x channel_binding=require")
            .with_database("b");
    CHECK(other.database() == "b");
    CHECK(other.get("sslmode") == "verify-ca");
    CHECK(other.get("sslrootcert") == "/x");
    CHECK(other.get("channel_binding") == "require");
}

TEST_CASE("a database that nobody named stays unnamed; environment and service file name it") {
    CHECK(Conninfo::parse("host=h user=somebody").database().empty());
    {
        const Environment database("PGDATABASE", "from_env"), port("PGPORT", "7777");
        CHECK(Conninfo::parse("host=h").database() == "from_env");
        CHECK(Conninfo::parse("host=h").port() == "7777");
        CHECK(Conninfo::parse("host=h port=1").port() == "1");
    }
    const std::string file =
        std::filesystem::temp_directory_path() / ("services." + std::to_string(::getpid()));
    std::ofstream(file) << "[prod]\nhost=db.prod\nport=6543\ndbname=prod\nsslmode=require\n";
    const Environment services("PGSERVICEFILE", file);
    const Conninfo conninfo = Conninfo::parse("service=prod user=u");
    CHECK(conninfo.host() == "db.prod");
    CHECK(conninfo.port() == "6543");
    CHECK(conninfo.database() == "prod");
    CHECK(conninfo.get("sslmode") == "require");
    CHECK_THROWS_AS(Conninfo::parse("service=missing"), Error);
    std::filesystem::remove(file);
}

TEST_CASE("a string that cannot be read is never repeated") {
    for (const char* text : {"host=h password=s3cret nonsense", "postgresql://u:s3cret@h/d?bad=1", "s3cret",
                             "host=h s3cret=1", "postgresql://u:s3cret@h:1:2/d%zz"}) {
        try {
            Conninfo::parse(text);
            FAIL("accepted: " << text);
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::usage);
            CHECK(std::string(error.what()).find("s3cret") == std::string::npos);
            CHECK_FALSE(error.hint().empty());
        }
    }
}

TEST_CASE("row values are taken out of messages of class 22, names of encodings stay") {
    using pq::without_values;
    CHECK(without_values("invalid input syntax for type integer: \"4 \" 2\"") ==
          "invalid input syntax for type integer: \"...\"");
    CHECK(without_values("value \"99999\" is out of range for type integer") ==
          "value \"...\" is out of range for type integer");
    CHECK(without_values("invalid byte sequence for encoding \"UTF8\": 0xff") ==
          "invalid byte sequence for encoding \"UTF8\": 0x..");
    CHECK(without_values("value too long for type character varying(3)") ==
          "value too long for type character varying(3)");
    CHECK(without_values("division by zero") == "division by zero");
    CHECK(without_values("a lone \" quote") == "a lone \" quote");
}

TEST_CASE("the SQLSTATE and a hint are found in a failed login's text, and its password hidden") {
    const Conninfo conninfo = Conninfo::parse("host=h dbname=d user=u password=hunter2");
    const Error error =
        pq::connect_error("connection to server at \"h\" failed: FATAL:  28P01: password hunter2 of "
                          "user \"u\" is wrong\nLOCATION:  auth_failed, auth.c:335\n",
                          pq::Side::target, conninfo);
    CHECK(error.sqlstate() == "28P01");
    CHECK(error.message() ==
          "cannot connect to the target (h:5432/d as u): connection to server at \"h\" failed: "
          "FATAL:  password *** of user \"u\" is wrong");
    CHECK(error.hint().find("--target-password-env") != std::string::npos);
}
