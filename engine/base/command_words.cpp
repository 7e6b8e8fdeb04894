#include "base/command_words.hpp"

#include "base/error.hpp"

namespace pgsluice {

std::vector<std::string> command_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (quote == 0 && space) {
            if (in_word) words.push_back(word);
            word.clear();
            in_word = false;
            continue;
        }
        in_word = true;
        if (c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            word += text[++i];
        } else {
            word += c;
        }
    }
    if (quote != 0)
        throw Error{ErrorKind::usage, "a quote of the command is not closed"}.hint(
            "pair each ' and \", or put a backslash before it");
    if (in_word) words.push_back(word);
    return words;
}

} // namespace pgsluice
