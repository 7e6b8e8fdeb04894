// Words of the command line -> values. All throw Error{usage} that names the option.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace pgsluice::cli {

int to_number(const std::string& option, const std::string& word, int min, int max);
std::size_t to_size(const std::string& option, const std::string& word);
std::chrono::milliseconds to_length(const std::string& option, const std::string& word);
std::map<std::string, std::string> to_role_map(const std::vector<std::string>& words); // FROM=TO
std::string to_host_and_database(const std::string& option, const std::string& word); // HOST/DBNAME, as given

template <class T>
using Choices = std::vector<std::pair<const char*, T>>;

template <class T>
T to_choice(const std::string& option, const std::string& word, const Choices<T>& choices) {
    std::string names;
    for (const auto& [name, value] : choices) {
        if (word == name) return value;
        names += (names.empty() ? "" : ", ") + std::string(name);
    }
    throw Error{ErrorKind::usage, option + " does not know \"" + word + "\""}.hint("one of: " + names);
}

} // namespace pgsluice::cli
