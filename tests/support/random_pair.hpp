// A source and a target made up from a number, for the merge: shared tables whose rows partly agree, under
// keys that partly clash; preserved tables among them; objects of the target's own on top. Each row carries
// the name of its entity
// (`tag`) and of the entity that it refers to (`ref_tag`), so that whoever looks from outside can tell a
// reference that has come to stand on another entity.
#pragma once
#include <string>
#include <vector>

namespace pgsluice::tests {

struct RandomTable {
    enum class Key { serial, identity, uuid, text, composite };
    std::string name; // as --preserve takes it: public.name
    std::string sql;  // quoted and qualified
    Key key = Key::serial;
    int parent = -1;        // index of the table that `ref` refers to; -1: none
    bool nullable = true;   // `ref`
    bool by_parent = false; // its natural key is (ref, role)
    bool tag_is_unique = true;
    bool is_preserved = false;
    bool is_extra = false;    // only the target has it
    std::string extra_column; // only the target has it; holds 'x:' || tag there
    std::vector<std::string> key_columns() const;
    std::vector<std::string> ref_columns(const std::vector<RandomTable>& all) const;
};

// An object that only the target has, and a query that tells whether it is there.
struct RandomExtra {
    std::string name, exists;
};

struct RandomPair {
    std::string source_sql, target_sql;
    std::vector<RandomTable> tables;
    std::vector<RandomExtra> extras;
    std::vector<std::string> arguments; // --preserve ...
};
RandomPair random_pair(unsigned seed);

} // namespace pgsluice::tests
