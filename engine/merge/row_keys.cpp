#include "merge/row_keys.hpp"

#include <algorithm>
#include <array>

#include "pq/quote.hpp"

namespace pgsluice::merge {

namespace {

using Columns = std::vector<std::string>;
using Role = MergeTable::Role;

bool holds(const Columns& columns, const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
}

class Keys {
public:
    Keys(MergeTable& table, const model::TableFacts& facts, const model::TableFacts& theirs)
        : table_(table), facts_(facts), theirs_(theirs) {}

    void set(const Columns& named) {
        sort();
        // Late changes are told by ctid, which says nothing across partitions.
        if (table_.role == Role::extra && table_.partitioned) table_.row_key.clear();
        const Columns& primary = table_.primary_key;
        table_.generated_key = generated(primary);
        table_.rest_tells = table_.role != Role::preserved || !told_by_names_of_one_side();
        if (!named.empty()) {
            table_.natural_keys.push_back(named);
            if (has_uuid(primary) && primary != named) table_.natural_keys.push_back(primary);
        } else if (!always_.empty() || !always_by_expression_.empty()) {
            table_.natural_keys = always_;
            table_.expression_keys = always_by_expression_;
            leave_out_number();
        } else {
            table_.expression_keys = sometimes_;
            by_the_rest();
        }
        const bool surrogate = (table_.generated_key || has_uuid(primary)) &&
                               table_.natural_keys == std::vector<Columns>{primary} &&
                               table_.expression_keys.empty();
        if (surrogate) table_.duplicates_by = all_but_surrogate();
    }

private:
    const model::ColumnFacts* fact(const std::string& name) const { return facts_.column(name); }
    bool generated(const Columns& columns) const {
        return std::any_of(columns.begin(), columns.end(),
                           [&](const std::string& name) { return fact(name) && fact(name)->from_sequence; });
    }
    bool has_uuid(const Columns& columns) const {
        return std::any_of(columns.begin(), columns.end(), [&](const std::string& name) {
            return fact(name) && fact(name)->base_type() == "uuid";
        });
    }
    bool never_null(const Columns& columns) const {
        return std::all_of(columns.begin(), columns.end(),
                           [&](const std::string& name) { return fact(name) && fact(name)->not_null; });
    }
    bool refers(const std::string& name) const {
        return std::any_of(facts_.references.begin(), facts_.references.end(),
                           [&](const model::ReferenceFacts& key) { return holds(key.columns, name); });
    }
    bool on_both_sides(const Columns& columns) const {
        return std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
            const MergeColumn* column = table_.column(name);
            return column != nullptr && !column->extra;
        });
    }

    // Which keys every row has, and which only some rows have.
    void sort() {
        for (const model::KeyFacts& key : facts_.keys) {
            if (!on_both_sides(key.columns)) continue;
            const bool whole = key.expressions.empty();
            if (key.primary) table_.primary_key = key.columns;
            if (whole && never_null(key.columns) && table_.row_key.empty()) table_.row_key = key.columns;
            if (key.reads_row) continue; // staging tables have no such row to look for
            if (generated(key.columns)) continue;
            if (whole && never_null(key.columns)) {
                always_.push_back(key.columns);
                continue;
            }
            ExpressionKey made{key.columns, key.expressions, key.predicate, key.nulls_equal};
            if (whole)
                for (const std::string& name : key.columns)
                    made.expressions.push_back(pq::quote_identifier(name));
            const bool always = (key.nulls_equal || never_null(key.columns)) && key.predicate.empty();
            (always ? always_by_expression_ : sometimes_).push_back(std::move(made));
        }
        if (!always_.empty() || !always_by_expression_.empty()) return;
        // Better a key that only the target has than none.
        for (const model::KeyFacts& key : theirs_.keys)
            if (key.expressions.empty() && key.predicate.empty() && !key.columns.empty() &&
                on_both_sides(key.columns) && never_null(key.columns) && !generated(key.columns))
                always_.push_back(key.columns);
    }

    // A unique key over columns that the other side lacks: what tells rows apart here says nothing there.
    bool has_names_of_its_own(const model::TableFacts& side, bool without_null) const {
        return std::any_of(side.keys.begin(), side.keys.end(), [&](const model::KeyFacts& key) {
            if (key.reads_row || on_both_sides(key.columns)) return false;
            if (without_null && !(key.expressions.empty() && key.predicate.empty())) return false;
            return std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) {
                const model::ColumnFacts* column = side.column(name);
                return column != nullptr && !column->from_sequence && (!without_null || column->not_null);
            });
        });
    }
    bool names_were_changed() const { // login there, username here
        return has_names_of_its_own(theirs_, false) && has_names_of_its_own(facts_, false);
    }
    bool told_by_names_of_one_side() const {
        return has_names_of_its_own(theirs_, true) || names_were_changed();
    }

    // A number that nobody gave a meaning (17, from a sequence that only the service knows): beside a key
    // that says more it says nothing. References in it mean what they lead to, texts and uuids themselves.
    bool is_number(const Columns& columns) const {
        static constexpr std::array<const char*, 8> types = {
            "smallint", "integer", "bigint", "numeric", "real", "double precision", "money", "oid"};
        bool any = false;
        for (const std::string& name : columns) {
            if (refers(name)) continue;
            const std::string& type = fact(name)->base_type();
            if (std::none_of(types.begin(), types.end(),
                             [&](const char* one) { return type.starts_with(one); }))
                return false;
            any = true;
        }
        return any;
    }

    void leave_out_number() {
        const Columns& primary = table_.primary_key;
        const bool others = table_.natural_keys.size() > 1 || !table_.expression_keys.empty();
        if (!others || !holds_key(primary) || !is_number(primary)) return;
        std::erase(table_.natural_keys, primary);
        table_.known_if_recorded = table_.role == Role::preserved;
    }
    bool holds_key(const Columns& key) const {
        return std::find(table_.natural_keys.begin(), table_.natural_keys.end(), key) !=
               table_.natural_keys.end();
    }

    // No key that every row has, but a generated one: nobody is known by a number that either side gives to
    // whoever comes next.
    void by_the_rest() {
        const Columns& primary = table_.primary_key;
        if (primary.empty()) {
            if (table_.role != Role::preserved) return;
            Columns whole;
            for (const MergeColumn& column : table_.columns)
                if (!column.extra) whole.push_back(column.name);
            table_.natural_keys.push_back(whole);
        } else if (table_.role == Role::preserved) {
            table_.duplicates_by = all_but_surrogate();
            if (table_.duplicates_by.empty()) // nothing else by which rows differ
                table_.natural_keys.push_back(primary);
            else
                table_.known_if_recorded = true;
        } else if (table_.expression_keys.empty() && names_were_changed()) {
            return; // no reference can be followed
        } else if (table_.expression_keys.empty()) {
            // Of a table whose rows come from the source alone: most of the target's are copies of them, in
            // which anything may have changed since.
            table_.natural_keys.push_back(primary);
        } else {
            add_for_rows_without_key();
        }
    }

    // The same, where none of the keys says anything on either side.
    void add_for_rows_without_key() {
        ExpressionKey made;
        for (const ExpressionKey& key : table_.expression_keys) {
            std::string applies = key.predicate.empty() ? "true" : "(" + key.predicate + ")";
            for (const std::string& expression : key.nulls_equal ? Columns{} : key.expressions)
                applies += " and (" + expression + ") is not null";
            made.predicate += (made.predicate.empty() ? "(" : " and (") + applies + ") is not true";
            made.reads.insert(made.reads.end(), key.reads.begin(), key.reads.end());
        }
        for (const std::string& name : table_.primary_key) {
            made.expressions.push_back(pq::quote_identifier(name));
            if (!holds(made.reads, name)) made.reads.push_back(name);
        }
        table_.expression_keys.push_back(std::move(made));
    }

    Columns all_but_surrogate() const {
        Columns columns;
        for (const MergeColumn& column : table_.columns) {
            const model::ColumnFacts* of = fact(column.name);
            const bool surrogate = holds(table_.primary_key, column.name) && of != nullptr &&
                                   (of->from_sequence || (of->base_type() == "uuid" && !refers(column.name)));
            if (!column.extra && !surrogate) columns.push_back(column.name);
        }
        return columns;
    }

    MergeTable& table_;
    const model::TableFacts& facts_;  // of the planned database
    const model::TableFacts& theirs_; // of the target
    std::vector<Columns> always_;
    std::vector<ExpressionKey> always_by_expression_, sometimes_;
};

} // namespace

void set_keys(MergeTable& table, const model::TableFacts& facts, const model::TableFacts& theirs,
              const Columns& named) {
    Keys(table, facts, theirs).set(named);
}

} // namespace pgsluice::merge
