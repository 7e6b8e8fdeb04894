// The steps of catalog::read, one file each.
#pragma once
#include "catalog/session.hpp"
#include "model/database.hpp"

namespace pgsluice::catalog {

// facts.cpp: server version and identifier, pg_database, settings, role names.
flow::Task<void> read_facts(Session& session, model::Database& database);

// objects.cpp: every kind's queries, in registry order.
flow::Task<void> read_objects(Session& session, model::Database& database);

// comments.cpp: pg_description onto objects and columns. After index().
flow::Task<void> read_comments(Session& session, model::Database& database);

// dependencies.cpp: pg_depend, lifted to objects that we hold. After index().
flow::Task<void> read_dependencies(Session& session, model::Database& database);

// table_rows.cpp
flow::Task<void> read_table_rows(Session& session, model::Database& database);

// table_facts.cpp: columns, unique keys and references of all tables, as a merge of rows needs them.
flow::Task<void> read_table_facts(Session& session, model::Database& database);

// sequence_values.cpp: after index().
flow::Task<void> read_sequence_values(Session& session, model::Database& database);

// unsupported.cpp
flow::Task<void> read_unsupported(Session& session, model::Database& database);

} // namespace pgsluice::catalog
