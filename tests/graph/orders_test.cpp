// rules.md section 10, sentence by sentence.
#include <chrono>

#include "graph/made.hpp"
#include "support/catch.hpp"

using namespace made;

namespace {

bool after(const graph::Graph& graph, const std::string& who, Part part, const std::string& needs,
           Part need) {
    return waits_for(graph, place(graph, who, part), place(graph, needs, need));
}

} // namespace

TEST_CASE("indexes, triggers and switches come after the rows, statistics before ANALYZE") {
    Made db;
    const NodeId table = db.table("t");
    db.items[table].ddl.after_rows = "force row level security";
    const NodeId key = db.on(table, Kind::constraint, "pk");
    db.items[key].ddl.build_index = "create unique index";
    db.on(table, Kind::index, "i");
    db.on(table, Kind::trigger, "tg");
    db.on(table, Kind::policy, "p");
    db.on(table, Kind::statistics, "st");
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    CHECK(after(graph, "i", Part::create, "t", Part::rows));
    CHECK(after(graph, "pk", Part::build_index, "t", Part::rows));
    CHECK(after(graph, "pk", Part::create, "pk", Part::build_index));
    CHECK(after(graph, "tg", Part::create, "i", Part::create));
    CHECK(after(graph, "p", Part::create, "t", Part::rows));
    CHECK(after(graph, "t", Part::after_rows, "t", Part::rows));
    CHECK(after(graph, "t", Part::analyze, "i", Part::create));
    CHECK(after(graph, "t", Part::analyze, "pk", Part::create));
    CHECK(after(graph, "t", Part::analyze, "st", Part::create));
    CHECK_FALSE(after(graph, "st", Part::create, "t", Part::rows));
    CHECK_FALSE(after(graph, "i", Part::create, "pk", Part::build_index));
}

TEST_CASE("a foreign key comes after rows and keys of both tables, its check after both ANALYZE") {
    Made db;
    const NodeId child = db.table("child");
    const NodeId parent = db.table("parent");
    db.on(parent, Kind::constraint, "pk");
    const NodeId fk = db.on(child, Kind::foreign_key, "fk");
    db.items[fk].ddl.validate = "validate";
    db.link(fk, parent);
    const graph::Graph graph = db.graph();
    CHECK(after(graph, "fk", Part::create, "child", Part::rows));
    CHECK(after(graph, "fk", Part::create, "parent", Part::rows));
    CHECK(after(graph, "fk", Part::create, "pk", Part::create));
    CHECK_FALSE(after(graph, "fk", Part::create, "parent", Part::analyze));
    CHECK(after(graph, "fk", Part::validate, "fk", Part::create));
    CHECK(after(graph, "fk", Part::validate, "child", Part::analyze));
    CHECK(after(graph, "fk", Part::validate, "parent", Part::analyze));
}

TEST_CASE(
    "partitions are attached before the first row of the tree; what the parent has comes after all rows") {
    Made db;
    const NodeId parent = db.add(Kind::table, "parent");
    const NodeId middle = db.add(Kind::table, "middle");
    const NodeId leaf = db.table("leaf"), other = db.table("other");
    db.items[middle].ddl.attach = db.items[leaf].ddl.attach = db.items[other].ddl.attach = "attach";
    db.link(middle, parent, 'a');
    db.link(leaf, middle, 'a');
    db.link(other, parent, 'a');
    const NodeId index = db.on(parent, Kind::index, "i");
    const NodeId of_middle = db.on(middle, Kind::index, "i middle"),
                 of_leaf = db.on(leaf, Kind::index, "i leaf");
    db.items[of_middle].ddl.attach = db.items[of_leaf].ddl.attach = "attach";
    db.link(of_middle, index, 'P');
    db.link(of_leaf, of_middle, 'P');
    db.on(parent, Kind::trigger, "tg");
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    CHECK(after(graph, "leaf", Part::rows, "other", Part::attach));
    CHECK(after(graph, "leaf", Part::rows, "middle", Part::attach));
    CHECK_FALSE(after(graph, "leaf", Part::create, "middle", Part::create));
    CHECK(after(graph, "tg", Part::create, "leaf", Part::rows));
    CHECK(after(graph, "tg", Part::create, "other", Part::rows));
    CHECK_FALSE(after(graph, "i leaf", Part::create, "i middle", Part::create));
    CHECK(after(graph, "i leaf", Part::attach, "i middle", Part::create));
    CHECK(after(graph, "i middle", Part::attach, "i leaf", Part::attach));
    CHECK_FALSE(after(graph, "i leaf", Part::create, "other", Part::rows));
}

TEST_CASE("rows that go through the root fill every partition") {
    Made db;
    const NodeId parent = db.add(Kind::table, "parent");
    for (const char* name : {"one", "two"}) {
        const NodeId partition = db.table(name);
        db.items[partition].ddl.attach = "attach";
        db.items[partition].load_through_root = true;
        db.link(partition, parent, 'a');
    }
    db.on(1, Kind::index, "i");
    const graph::Graph graph = db.graph();
    CHECK(after(graph, "i", Part::create, "one", Part::rows));
    CHECK(after(graph, "i", Part::create, "two", Part::rows));
}

TEST_CASE("a partitioned table's foreign key adopts the checked ones of its partitions") {
    Made db;
    const NodeId parent = db.add(Kind::table, "parent");
    const NodeId leaf = db.table("leaf");
    db.items[leaf].ddl.attach = "attach";
    db.link(leaf, parent, 'a');
    const NodeId above = db.on(parent, Kind::foreign_key, "fk");
    const NodeId below = db.on(leaf, Kind::foreign_key, "fk leaf");
    db.items[below].ddl.validate = "validate";
    db.link(below, above, 'P');
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    CHECK(after(graph, "fk", Part::create, "fk leaf", Part::validate));
    CHECK_FALSE(after(graph, "fk leaf", Part::create, "fk", Part::create));
}

TEST_CASE(
    "a materialized view is refreshed after rows, rights and what it reads; its indexes come after that") {
    Made db;
    const NodeId table = db.table("t");
    const NodeId role_table = db.table("rights");
    db.items[role_table].rights = "grant";
    const NodeId inner = db.add(Kind::materialized_view, "inner");
    const NodeId view = db.add(Kind::view, "view");
    const NodeId outer = db.add(Kind::materialized_view, "aaa outer");
    for (const NodeId node : {inner, outer}) {
        db.items[node].ddl.refresh = "refresh";
        db.items[node].analyze = "analyze";
        db.items[node].rights = "grant";
    }
    db.link(inner, table);
    db.link(view, inner);
    db.link(outer, view);
    db.on(inner, Kind::index, "i");
    const NodeId fk = db.on(table, Kind::foreign_key, "fk");
    db.items[fk].ddl.validate = "validate";
    const NodeId acl = db.add(Kind::default_acl, "acl");
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    CHECK(after(graph, "inner", Part::refresh, "t", Part::rows));
    CHECK(after(graph, "inner", Part::refresh, "rights", Part::rights));
    CHECK(after(graph, "inner", Part::refresh, "aaa outer", Part::rights));
    CHECK(after(graph, "aaa outer", Part::refresh, "inner", Part::refresh));
    CHECK_FALSE(after(graph, "inner", Part::refresh, "fk", Part::validate));
    CHECK(after(graph, "i", Part::create, "inner", Part::refresh));
    CHECK(after(graph, "inner", Part::analyze, "i", Part::create));
    CHECK(after(graph, "acl", Part::create, "inner", Part::analyze));
    CHECK(after(graph, "acl", Part::create, "fk", Part::validate));
    CHECK(place(graph, "acl", Part::create) == static_cast<int>(graph.entries.size()) - 1);
    CHECK(db.nodes[acl].kind == Kind::default_acl);
}

TEST_CASE(
    "rights come after the work: owners need the schema's, sequences the table's, functions all builds") {
    Made db;
    const NodeId schema = db.add(Kind::schema, "s");
    const NodeId function = db.add(Kind::function, "f");
    const NodeId sequence = db.add(Kind::sequence, "q");
    const NodeId table = db.table("t");
    for (const NodeId node : {schema, function, sequence, table}) db.items[node].rights = "owner";
    db.items[table].changes_owner = true;
    db.items[sequence].ddl.owned_by = "owned by";
    db.link(sequence, table, 'a');
    db.on(table, Kind::index, "i");
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    CHECK(after(graph, "t", Part::rights, "s", Part::rights));
    CHECK(after(graph, "t", Part::rights, "q", Part::owned_by));
    CHECK(after(graph, "q", Part::rights, "t", Part::rights));
    CHECK(after(graph, "f", Part::rights, "i", Part::create));
    CHECK(after(graph, "s", Part::rights, "t", Part::create));
}

TEST_CASE("a step that may call functions says so") {
    Made db;
    const NodeId function = db.add(Kind::function, "f");
    const NodeId plain = db.table("plain"), calling = db.table("calling");
    const NodeId check = db.on(calling, Kind::check, "check");
    db.items[check].ddl.create.clear();
    db.link(check, function);
    const NodeId index = db.on(plain, Kind::index, "i");
    db.link(index, function);
    const graph::Graph graph = db.graph();
    const auto runs = [&](const std::string& name, Part part) {
        return graph.entries.at(static_cast<std::size_t>(place(graph, name, part))).runs_functions;
    };
    CHECK(runs("calling", Part::rows));
    CHECK_FALSE(runs("plain", Part::rows));
    CHECK(runs("i", Part::create));
}

TEST_CASE("twenty thousand objects build in no time") {
    Made db;
    db.add(Kind::schema, "s");
    NodeId last = db.add(Kind::view, "first");
    for (int i = 0; i < 5000; ++i) {
        const std::string number = std::to_string(i);
        const NodeId table = db.table("t" + number);
        db.items[table].rights = "grant";
        db.on(table, Kind::constraint, "k" + number);
        const NodeId key = db.on(table, Kind::foreign_key, "fk" + number);
        db.items[key].ddl.validate = "validate";
        db.link(key, table > 3 ? table - 3 : table);
        const NodeId view = db.add(Kind::view, "v" + number);
        db.link(view, last);
        db.link(view, table);
        db.link(view, 0);
        last = view;
    }
    const NodeId mview = db.add(Kind::materialized_view, "m");
    db.items[mview].ddl.refresh = "refresh";
    db.link(mview, last);
    db.items[0].rights = "grant";
    const auto start = std::chrono::steady_clock::now();
    const graph::Graph graph = db.graph();
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5)); // 0.1 s; sanitizers are slower
    CHECK(graph.warnings.empty());
    std::size_t edges = 0;
    for (const graph::Entry& entry : graph.entries) edges += entry.needs.size();
    CHECK(edges < graph.entries.size() * 8);
}
