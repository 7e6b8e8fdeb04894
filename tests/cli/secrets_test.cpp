#include "secrets.hpp"
#include "support/catch.hpp"

using namespace pgsluice::cli;

TEST_CASE("a conninfo with a password is known in every spelling that libpq takes") {
    for (const char* text :
         {"password=x", "host=a password=x", "host=a password = 'x y'", "host='a b' password='it\\'s'",
          "host=a sslpassword=x", "postgresql://u:x@h/d", "postgres://u:x@h", "postgresql://h/d?password=x",
          "postgresql://h/d?a=b&password=x", "postgresql://h/d?%70assword=x", "postgresql://u:p@ss@h/d",
          "postgresql://h?sslpassword=x", "host=a password"})
        CHECK(holds_password(text));
}

TEST_CASE("a conninfo without a password is let through") {
    for (const char* text :
         {"", "host=a dbname=b", "host=a password=", "service=prod", "passfile=/run/password",
          "dbname='my password=x'", "postgresql://u@h:5432/d?sslmode=require", "postgresql://u:@h/d",
          "postgresql://h:5432/d", "postgresql:///d?host=/run", "user=password"})
        CHECK_FALSE(holds_password(text));
}

TEST_CASE("a word survives the shell") {
    CHECK(shell_quote("service=prod") == "service=prod");
    CHECK(shell_quote("host=a dbname=b") == "'host=a dbname=b'");
    CHECK(shell_quote("it's $HOME") == "'it'\\''s $HOME'");
    CHECK(shell_quote("") == "''");
}
