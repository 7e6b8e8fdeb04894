#include "run/merge_target.hpp"

namespace pgsluice::run {

Task<void> MergeTarget::open() { rows_ = co_await TargetRows::open(context_); }

Task<LoadMerge> MergeTarget::prepare(const Catalogs& catalogs, std::string database) {
    at_start_ = fingerprint_of(catalogs.target);
    inside_ = co_await open_target(context_, database);
    LoadMerge load;
    load.target_snapshot = rows_->snapshot();
    co_return load;
}

Task<void> MergeTarget::late() {
    context_.step("reading what changed on the target");
    co_await rows_->lock();
    const Fingerprint now = co_await read_fingerprint(rows_->session(), context_.options.lock_timeout);
    refuse_changed_schema(at_start_, now);
}

} // namespace pgsluice::run
