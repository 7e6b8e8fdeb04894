// A database made up from a number: the same number gives the same SQL. Tables that refer to each other in
// circles, partition trees, views on views and through functions, types in types, under hostile names.
#pragma once
#include <string>

namespace pgsluice::tests {

// For psql, as the owner of an empty database. `steps` is about the number of objects.
std::string random_schema(unsigned seed, int steps);

} // namespace pgsluice::tests
