// Writes JSON: keys in the order of the calls, valid UTF-8 whatever a server sent, numbers as people write
// them. Boost.JSON cannot indent and writes 0.43 as 4.3E-1; it reads (tests, history).
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::report {

// Calls nest as the text does; what is not closed when text() is called is a mistake of the caller's.
class JsonWriter {
public:
    explicit JsonWriter(bool indent) : indent_(indent) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }
    JsonWriter& key(std::string_view name);

    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool truth) { return scalar(truth ? "true" : "false"); }
    JsonWriter& value(double number); // to the thousandth; null where it is no number
    template <std::integral T>
    JsonWriter& value(T number) {
        return scalar(std::to_string(number));
    }
    JsonWriter& null() { return scalar("null"); }

    template <class T>
    JsonWriter& field(std::string_view name, const T& it) {
        return key(name).value(it);
    }
    template <class List>
    JsonWriter& strings(std::string_view name, const List& list) {
        key(name).begin_array();
        for (const auto& item : list) value(item);
        return end_array();
    }

    const std::string& text() const { return text_; }

private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& scalar(std::string_view text);
    void separate(); // the comma and the new line before an element
    void new_line();

    std::string text_;
    bool indent_;
    int depth_ = 0;
    bool first_ = true;      // nothing in the innermost bracket yet
    bool after_key_ = false; // the next element belongs to a key
};

} // namespace pgsluice::report
