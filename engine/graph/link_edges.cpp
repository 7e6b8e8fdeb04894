// From edges between objects to edges between steps.
#include "graph/steps.hpp"

namespace pgsluice::graph {

namespace {

using model::Kind;

void order_own_parts(Steps& steps, NodeId node) {
    const auto own = [&](Part part) { return steps.slot(node, part); };
    const EntryId create = own(Part::create);
    steps.run_after(create, own(Part::dummy));
    steps.run_after(create, own(Part::build_index));
    for (const Part part :
         {Part::add_elements, Part::attach, Part::owned_by, Part::rows, Part::sequence_value,
          Part::after_rows, Part::validate, Part::analyze, Part::rights, Part::refresh})
        steps.run_after(own(part), create);
    for (const Part part : {Part::rows, Part::sequence_value, Part::after_rows, Part::rights}) {
        steps.run_after(own(part), own(Part::attach));
        steps.run_after(own(part), own(Part::owned_by));
    }
    steps.order_after(own(Part::rights), own(Part::sequence_value));
    // A satellite without a create (enabled state of a trigger on a partition; a comment) waits for its
    // table.
    if (steps.network.hosts[node] == node) return;
    const EntryId host = steps.made(steps.network.hosts[node]);
    for (const Part part : {Part::create, Part::build_index, Part::attach, Part::after_rows})
        steps.run_after(own(part), host);
}

// A stand-in serves everybody but what hangs on the view itself.
EntryId needed(const Steps& steps, const Link& link) {
    const EntryId dummy = steps.slot(link.needs, Part::dummy);
    return dummy != no_entry && steps.network.hosts[link.who] != link.needs ? dummy : steps.made(link.needs);
}

// The step and what it needs; of extras also the elements that only the target has.
void run_after_link(Steps& steps, EntryId entry, const Link& link) {
    steps.run_after(entry, needed(steps, link));
    // A partition that cannot be attached is not kept.
    const Network& network = steps.network;
    if (steps.is_late(link.needs) && network.hosts[link.who] != link.needs &&
        !network.is_partition_link(link) && !network.is_part_of_link(link))
        steps.run_after(entry, steps.slot(link.needs, Part::attach));
    if (!steps.network.needs_elements(link)) return;
    for (const EntryId add : steps.added(link.needs)) steps.run_after(entry, add);
}

void add_link(Steps& steps, const Link& link) {
    const Network& network = steps.network;
    if (steps.repairs.is_dropped(link)) return;
    const EntryId attach = steps.slot(link.who, Part::attach);
    if (network.is_of_elements(link)) {
        run_after_link(steps, steps.slot(link.who, Part::add_elements), link);
        return;
    }
    if (network.is(link.who, Kind::foreign_key) && network.is(link.needs, Kind::foreign_key)) {
        if (network.is_late_part(link)) {
            steps.order_after(steps.made(link.needs), steps.made(link.who));
            steps.order_after(steps.made(link.needs), steps.slot(link.who, Part::validate));
            return;
        }
        // The partitioned table's key adopts those of its partitions, valid ones without a scan.
        steps.run_after(steps.made(link.needs), steps.made(link.who));
        steps.run_after(steps.made(link.needs), steps.slot(link.who, Part::validate));
        return;
    }
    if (attach != no_entry && (network.is_partition_link(link) || network.is_part_of_link(link))) {
        run_after_link(steps, attach, link);
        return;
    }
    if (network.is_owned_by_link(link) && steps.slot(link.who, Part::owned_by) != no_entry) {
        run_after_link(steps, steps.slot(link.who, Part::owned_by), link);
        return;
    }
    if (steps.is_inline(link.who) && network.hosts[link.who] == link.needs) return;
    run_after_link(steps, steps.main(link.who), link);
    if (!steps.is_inline(link.who)) run_after_link(steps, steps.slot(link.who, Part::build_index), link);
    if (model::is_namespace_or_type(network.nodes[link.needs].kind))
        run_after_link(steps, steps.slot(link.who, Part::dummy), link);
}

} // namespace

void add_link_edges(Steps& steps) {
    for (NodeId node = 0; node < steps.network.nodes.size(); ++node) order_own_parts(steps, node);
    for (const Link& link : steps.network.links) add_link(steps, link);
}

} // namespace pgsluice::graph
