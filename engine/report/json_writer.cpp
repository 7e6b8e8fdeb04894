#include "report/json_writer.hpp"

#include <cmath>

#include <fmt/format.h>

namespace pgsluice::report {

namespace {

// The length of the well-formed UTF-8 character at the start of `text`, 0 for none (RFC 3629: shortest form
// only, no surrogates, nothing above U+10FFFF).
std::size_t character_length(std::string_view text) {
    const auto byte = [&](std::size_t at) -> unsigned {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    const auto follows = [&](std::size_t at) { return (byte(at) & 0xC0) == 0x80; };
    const unsigned first = byte(0), second = byte(1);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
        return follows(1) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
        return follows(1) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

void append_quoted(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const std::size_t length = character_length(text);
        if (length == 0) {
            to += "\xEF\xBF\xBD"; // U+FFFD
            text.remove_prefix(1);
            continue;
        }
        if (byte == '"')
            to += "\\\"";
        else if (byte == '\\')
            to += "\\\\";
        else if (byte == '\n')
            to += "\\n";
        else if (byte == '\t')
            to += "\\t";
        else if (byte < 0x20 || byte == 0x7F)
            to += fmt::format("\\u{:04x}", byte);
        else
            to += text.substr(0, length);
        text.remove_prefix(length);
    }
    to += '"';
}

} // namespace

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    append_quoted(text_, name);
    text_ += indent_ ? ": " : ":";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    append_quoted(text_, text);
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    if (!std::isfinite(number)) return null();
    return scalar(fmt::format("{}", std::round(number * 1000) / 1000));
}

JsonWriter& JsonWriter::open(char bracket) {
    separate();
    text_ += bracket;
    ++depth_;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    --depth_;
    if (!first_) new_line();
    text_ += bracket;
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::scalar(std::string_view text) {
    separate();
    text_ += text;
    return *this;
}

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
    } else {
        if (!first_) text_ += ',';
        if (depth_ > 0) new_line();
    }
    first_ = false;
}

void JsonWriter::new_line() {
    if (!indent_) return;
    text_ += '\n';
    text_.append(static_cast<std::size_t>(depth_) * 2, ' ');
}

} // namespace pgsluice::report
