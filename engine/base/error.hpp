// The one error type of the engine: useful to a person (message, object, hint) and to the program
// (kind decides the exit code, SQLSTATE decides about a retry). Messages are lower case, without a
// full stop, and never hold row values or secrets.
#pragma once
#include <exception>
#include <string>
#include <string_view>

namespace pgsluice {

enum class ErrorKind {
    usage,        // the command line or the options are wrong: exit 2
    refused,      // a guard, a missing right, a rule says no: exit 1, nothing was changed
    connection,   // cannot connect, or the connection broke
    source,       // the source server rejected a statement
    target,       // the target server rejected a statement
    verification, // what arrived is not what was sent
    stopped,      // a signal, or the embedding program asked us to stop
    attention,    // the target needs a person, with the command to run: exit 4
    internal,     // a mistake of ours
};

// The process exit code of rules.md section 12.
int exit_code(ErrorKind kind);

class Error : public std::exception {
public:
    Error(ErrorKind kind, std::string message);

    // Each setter replaces what it names and returns the error, so that a throw is one expression:
    //   throw Error{ErrorKind::refused, "the source has no user tables"}.hint("...");
    Error& sqlstate(std::string code);
    Error& object(std::string name); // what it is about: "table public.orders"
    Error& detail(std::string text); // the server's DETAIL or CONTEXT, when it holds no row values
    Error& hint(std::string text);   // what to do about it
    // Puts `prefix: ` before the message, for a caller who knows what was being done.
    Error& during(std::string_view prefix);

    ErrorKind kind() const { return kind_; }
    const std::string& message() const { return message_; }
    const std::string& sqlstate() const { return sqlstate_; }
    const std::string& object() const { return object_; }
    const std::string& detail() const { return detail_; }
    const std::string& hint() const { return hint_; }

    // message [SQLSTATE], then lines "  object: ", "  detail: ", "  HINT: " for those that are set.
    const char* what() const noexcept override { return text_.c_str(); }

private:
    void compose();
    ErrorKind kind_;
    std::string message_, sqlstate_, object_, detail_, hint_, text_;
};

// The text of any exception, for logs and reports.
std::string describe(const std::exception_ptr& error);

} // namespace pgsluice
