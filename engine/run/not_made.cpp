// From the tasks of extras that failed, and those that were skipped for it, to what is pending.
#include <algorithm>
#include <map>
#include <set>

#include "base/run_id.hpp"
#include "base/text.hpp"
#include "pq/quote.hpp"
#include "run/pending.hpp"

namespace pgsluice::run {

namespace {

using graph::Entry;
using graph::EntryId;
using graph::Part;
using model::CatalogId;
using model::Kind;

// Without these the object is not there. A partition that overlaps is not kept.
bool makes_the_object(const Entry& entry) {
    return entry.part == Part::create || entry.part == Part::dummy || entry.part == Part::build_index ||
           (entry.part == Part::attach && entry.kind == Kind::table);
}

// Worth doing again when the object is made later.
bool belongs_to_definition(Part part) {
    return part != Part::rows && part != Part::dummy && part != Part::sequence_value &&
           part != Part::analyze && part != Part::merge && part != Part::gate;
}

struct Step {
    EntryId entry;
    plan::State state;
    std::string why; // empty: it was made
};

class Reader {
public:
    Reader(const plan::Plan& plan, const graph::Graph& graph, const model::Database& planned,
           const std::vector<ExtraFailure>& failures)
        : plan_(plan), graph_(graph), planned_(planned) {
        for (const ExtraFailure& failure : failures)
            failures_[failure.task] = one_line(failure.message + " [" + failure.sqlstate + "]");
        std::map<model::CatalogId, std::size_t> places;
        for (const plan::Task& task : plan.tasks()) {
            if (!task.extra) continue;
            const EntryId entry = task.entries.front(); // its only one
            const auto [at, is_new] = places.emplace(graph.entries[entry].object, objects_.size());
            if (is_new) objects_.emplace_back();
            objects_[at->second].push_back({entry, plan.state(task.id), why(task)});
        }
    }

    NotMade read() {
        find_dropped();
        for (const std::vector<Step>& steps : objects_) {
            const CatalogId object = graph_.entries[steps.front().entry].object;
            if (is_lacking(steps) || goes_along(object))
                add_object(steps);
            else
                for (const Step& step : steps)
                    if (!step.why.empty()) add_step(step);
        }
        return std::move(not_made_);
    }

private:
    bool is_lacking(const std::vector<Step>& steps) const {
        return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
            return !step.why.empty() && makes_the_object(graph_.entries[step.entry]);
        });
    }

    // Tables that are there but could not be attached, and those that are attached to them.
    void find_dropped() {
        for (const std::vector<Step>& steps : objects_) {
            const Entry& first = graph_.entries[steps.front().entry];
            if (first.kind == Kind::table && first.part == Part::create && steps.front().why.empty() &&
                is_lacking(steps))
                dropped_.insert(first.object);
        }
        unattached_ = dropped_;
        for (std::size_t found = 0; found != dropped_.size();) {
            found = dropped_.size();
            for (const model::Dependency& need : planned_.dependencies)
                if (need.type == 'a' && dropped_.contains(planned_.resolve(need.needs)) && is_table(need.who))
                    dropped_.insert(planned_.resolve(need.who));
        }
    }

    bool is_table(CatalogId id) const {
        const model::Object* object = planned_.find(id);
        return object != nullptr && object->kind == Kind::table;
    }

    // With the table that it is of.
    bool goes_along(CatalogId id) const {
        const model::Object* object = planned_.find(id);
        return object != nullptr && dropped_.contains(planned_.resolve(object->relation));
    }

    std::string why(const plan::Task& task) const {
        const auto failure = failures_.find(task.id);
        if (failure != failures_.end()) return failure->second;
        if (plan_.state(task.id) != plan::State::skipped) return {};
        for (const plan::TaskId need : task.needs) {
            const plan::Task& needed = plan_.tasks()[need];
            const plan::State state = plan_.state(need);
            if (needed.extra && (state == plan::State::failed || state == plan::State::skipped))
                return "needs " + graph_.entries[needed.entries.front()].name + ", which could not be made";
        }
        return "something that it needs could not be made";
    }

    merge::Pending item_of(const Entry& entry, std::string reason) const {
        merge::Pending item;
        if (const model::Object* object = planned_.find(entry.object); object != nullptr)
            item.key = model::natural_key(*object);
        item.name = entry.name;
        item.reason = std::move(reason);
        return item;
    }

    void add_object(const std::vector<Step>& steps) {
        std::string reason;
        for (const Step& step : steps) // its own failure says more than what was skipped for it
            if (!step.why.empty() && (reason.empty() || step.state == plan::State::failed)) {
                reason = step.why;
                if (step.state == plan::State::failed) break;
            }
        const Entry& first = graph_.entries[steps.front().entry];
        if (reason.empty()) reason = "needs its table, which could not be made";
        merge::Pending item = item_of(first, reason);
        for (const Step& step : steps) {
            const Entry& entry = graph_.entries[step.entry];
            if (belongs_to_definition(entry.part) && !entry.sql.empty())
                item.sql += (item.sql.empty() ? "" : "\n") + entry.sql;
            if (entry.part == Part::rows) add_rows_behind(entry, reason);
            if (step.why.empty() && (unattached_.contains(entry.object) || !goes_along(entry.object)))
                add_half_made(entry);
        }
        not_made_.pending.push_back(std::move(item));
    }

    void add_rows_behind(const Entry& entry, const std::string& reason) {
        if (const model::TableRows* rows = planned_.rows_of(entry.object); rows != nullptr)
            not_made_.rows_behind.push_back({rows->schema, rows->name, reason});
    }

    void add_half_made(const Entry& entry) {
        const model::Object* object = planned_.find(entry.object);
        if (object == nullptr) return;
        const std::string name = pq::quote_qualified(object->schema, object->name);
        if (entry.kind == Kind::table && entry.part == Part::create)
            not_made_.half_made.push_back("drop table " + name);
        if (entry.part == Part::build_index) not_made_.half_made.push_back("drop index " + name);
        if (entry.part == Part::dummy) not_made_.half_made.push_back("drop view " + name);
    }

    // The object is there, but for this.
    void add_step(const Step& step) {
        const Entry& entry = graph_.entries[step.entry];
        if (entry.part == Part::analyze || entry.part == Part::gate) return; // whatever failed is named
        if (entry.part == Part::rows) {
            add_rows_behind(entry, step.why);
            return;
        }
        merge::Pending item = item_of(entry, step.why);
        item.sql = entry.sql;
        if (entry.part == Part::validate)
            describe_validation(entry, item);
        else if (entry.part != Part::add_elements)
            item.name += ": " + std::string(graph::part_name(entry.part));
        not_made_.pending.push_back(std::move(item));
    }

    // Which columns hold the keys; never the keys themselves.
    void describe_validation(const Entry& entry, merge::Pending& item) const {
        item.name = "validation of " + entry.name;
        item.reason = "it stays NOT VALID: " + item.reason;
        if (entry.kind != Kind::foreign_key) return;
        for (const Entry& other : graph_.entries) {
            if (other.object != entry.object || other.part != Part::create) continue;
            const std::size_t from = other.sql.find("FOREIGN KEY (");
            const std::size_t to = other.sql.find(" NOT VALID", from);
            if (from != std::string::npos && to != std::string::npos)
                item.reason += "; " + one_line(other.sql.substr(from, to - from));
        }
    }

    const plan::Plan& plan_;
    const graph::Graph& graph_;
    const model::Database& planned_;
    std::map<plan::TaskId, std::string> failures_;
    std::vector<std::vector<Step>> objects_; // in the plan's order
    std::set<CatalogId> unattached_, dropped_;
    NotMade not_made_;
};

} // namespace

NotMade not_made(const plan::Plan& plan, const graph::Graph& graph, const model::Database& planned,
                 const std::vector<ExtraFailure>& failures) {
    return Reader(plan, graph, planned, failures).read();
}

} // namespace pgsluice::run
