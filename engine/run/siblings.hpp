// Partitions whose rows may land in any of their siblings (hash by an enum: the hash is of a label's oid,
// model::TableRows::partition_root_load). One alone proves nothing: they are compared together once the last
// one is in. Lanes on all loops use it.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "model/database.hpp"
#include "rows/checksum.hpp"

namespace pgsluice::run {

class Siblings {
public:
    explicit Siblings(const model::Database& planned);

    struct Together {
        rows::Tables tables;
        std::uint64_t rows = 0; // that were copied into them
    };
    // `table` got so many rows, and they are committed: all of its siblings, when it was the last of them.
    std::optional<Together> copied(const model::TableRows& table, std::uint64_t rows);

private:
    struct Group {
        Together all;
        std::size_t left = 0; // not copied yet
    };
    using Key = std::tuple<bool, std::string, std::string>; // from the target, schema and name of the root
    static Key key(const model::TableRows& table);

    std::mutex mutex_;
    std::map<Key, Group> groups_;
};

} // namespace pgsluice::run
