// pg_depend and pg_description name rows that are no objects of ours: a view's _RETURN rule, a rowtype, an
// array type, an index that a constraint owns, a member of an extension. Each belongs to something: this says
// to what.
#pragma once
#include <map>

#include "catalog/session.hpp"
#include "model/database.hpp"

namespace pgsluice::catalog {

class Lift {
public:
    explicit Lift(const model::Database& database) : database_(database) {}
    void add(model::CatalogId part, model::CatalogId whole) { wholes_.emplace(part, whole); }
    // The object of ours that `id` is or belongs to; null: nothing that we hold.
    const model::Object* object(model::CatalogId id) const;

private:
    const model::Database& database_;
    std::map<model::CatalogId, model::CatalogId> wholes_;
};

flow::Task<void> read_lift(Session& session, Lift& lift);

} // namespace pgsluice::catalog
