#include "graph/made.hpp"
#include "support/catch.hpp"

using namespace made;

TEST_CASE("a default of its own table stays inside CREATE TABLE") {
    Made db;
    const NodeId table = db.table("t");
    db.on(table, Kind::column_default, "default");
    const graph::Repairs repairs = graph::find_repairs(db.network());
    CHECK(repairs.shape.separate.empty());
    CHECK(repairs.warnings.empty());
}

TEST_CASE("a serial column needs no repair: owning the sequence is a step of its own") {
    Made db;
    const NodeId sequence = db.add(Kind::sequence, "q");
    const NodeId table = db.table("t");
    const NodeId value = db.on(table, Kind::column_default, "default");
    db.items[sequence].ddl.owned_by = "owned by";
    db.items[sequence].sequence_value = "setval";
    db.items[value].ddl.create.clear();
    db.link(value, sequence);
    db.link(sequence, table, 'a');
    CHECK(graph::find_repairs(db.network()).shape.separate.empty());
    const graph::Graph graph = db.graph();
    CHECK(waits_for(graph, place(graph, "t", Part::create), place(graph, "q", Part::create)));
    CHECK(waits_for(graph, place(graph, "q", Part::owned_by), place(graph, "t", Part::create)));
    CHECK(waits_for(graph, place(graph, "q", Part::sequence_value), place(graph, "q", Part::owned_by)));
    CHECK(graph.warnings.empty());
}

TEST_CASE("a default or check that calls a function on the table leaves CREATE TABLE") {
    const Kind kind = GENERATE(Kind::column_default, Kind::check);
    Made db;
    const NodeId function = db.add(Kind::function, "f");
    const NodeId table = db.table("t");
    const NodeId inside = db.on(table, kind, "inside");
    const NodeId other = db.on(table, kind, "other");
    db.items[other].ddl.create.clear();
    db.link(inside, function);
    db.link(function, table);
    const graph::Repairs repairs = graph::find_repairs(db.network());
    CHECK(repairs.shape.separate == std::set<model::CatalogId>{db.nodes[inside].id});
    CHECK(repairs.warnings.empty());
    const graph::Graph graph = db.graph();
    CHECK(waits_for(graph, place(graph, "inside", Part::create), place(graph, "f", Part::create)));
    CHECK(waits_for(graph, place(graph, "f", Part::create), place(graph, "t", Part::create)));
    // Its function may read the table: a check comes after the rows.
    CHECK(waits_for(graph, place(graph, "inside", Part::create), place(graph, "t", Part::rows)) ==
          (kind == Kind::check));
}

TEST_CASE("a domain's check that needs the domain by way of a function is separate") {
    Made db;
    const NodeId domain = db.add(Kind::domain, "d");
    const NodeId function = db.add(Kind::function, "f");
    const NodeId check = db.add(Kind::check, "check");
    db.link(check, domain, 'a');
    db.link(check, function);
    CHECK(graph::find_repairs(db.network()).shape.separate.empty());
    db.link(function, domain);
    CHECK(graph::find_repairs(db.network()).shape.separate == std::set<model::CatalogId>{db.nodes[check].id});
}

TEST_CASE("of views that use each other one gets a stand-in, and its users take that") {
    Made db;
    const NodeId type = db.add(Kind::enum_type, "e");
    const NodeId function = db.add(Kind::function, "f");
    const NodeId view = db.add(Kind::view, "v");
    const NodeId rule = db.on(view, Kind::rule, "rule");
    db.link(view, function);
    db.link(view, type);
    db.link(function, view);
    const graph::Repairs repairs = graph::find_repairs(db.network());
    CHECK(repairs.shape.dummy == std::set<model::CatalogId>{db.nodes[view].id});
    CHECK(repairs.warnings.empty());
    db.items[view].ddl.dummy = "stand-in";
    const graph::Graph graph = db.graph();
    CHECK(graph.warnings.empty());
    const int dummy = place(graph, "v", Part::dummy), create = place(graph, "v", Part::create);
    CHECK(waits_for(graph, place(graph, "f", Part::create), dummy));
    CHECK(waits_for(graph, create, place(graph, "f", Part::create)));
    CHECK(waits_for(graph, dummy, place(graph, "e", Part::create)));
    CHECK(waits_for(graph, place(graph, "rule", Part::create), create));
    CHECK(db.nodes[rule].name == "rule");
}

TEST_CASE("a loop that nothing repairs is named, and one edge goes") {
    Made db;
    const NodeId one = db.add(Kind::function, "one");
    const NodeId two = db.add(Kind::function, "two");
    db.link(one, two);
    db.link(two, one);
    const graph::Graph graph = db.graph();
    REQUIRE(graph.warnings.size() == 1);
    CHECK(graph.warnings[0] == "could not resolve dependency loop among these items: one, two");
    CHECK(graph.entries.size() == 2);
}

TEST_CASE("many loops at once take few rounds, and the same input gives the same graph") {
    Made db;
    for (int i = 0; i < 4000; ++i) {
        const std::string number = std::to_string(i);
        const NodeId function = db.add(Kind::function, "f" + number);
        const NodeId table = db.table("t" + number);
        const NodeId value = db.on(table, Kind::column_default, "d" + number);
        db.link(value, function);
        db.link(function, table);
    }
    const graph::Network network = db.network();
    CHECK(graph::find_repairs(network).shape.separate.size() == 4000);
    const graph::Graph first = db.graph(), second = db.graph();
    REQUIRE(first.entries.size() == second.entries.size());
    for (std::size_t i = 0; i < first.entries.size(); ++i) {
        CHECK(first.entries[i].name == second.entries[i].name);
        CHECK(first.entries[i].needs == second.entries[i].needs);
    }
}
