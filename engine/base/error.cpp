#include "base/error.hpp"

#include <utility>

namespace pgsluice {

int exit_code(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::attention: return 4;
    default: return 1;
    }
}

Error::Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) { compose(); }

Error& Error::sqlstate(std::string code) {
    sqlstate_ = std::move(code);
    compose();
    return *this;
}

Error& Error::object(std::string name) {
    object_ = std::move(name);
    compose();
    return *this;
}

Error& Error::detail(std::string text) {
    detail_ = std::move(text);
    compose();
    return *this;
}

Error& Error::hint(std::string text) {
    hint_ = std::move(text);
    compose();
    return *this;
}

Error& Error::during(std::string_view prefix) {
    message_ = std::string(prefix) + ": " + message_;
    compose();
    return *this;
}

void Error::compose() {
    text_ = message_;
    if (!sqlstate_.empty()) text_ += " [" + sqlstate_ + "]";
    if (!object_.empty()) text_ += "\n  object: " + object_;
    if (!detail_.empty()) text_ += "\n  detail: " + detail_;
    if (!hint_.empty()) text_ += "\n  HINT: " + hint_;
}

std::string describe(const std::exception_ptr& error) {
    if (!error) return "no error";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "unknown error";
    }
}

} // namespace pgsluice
