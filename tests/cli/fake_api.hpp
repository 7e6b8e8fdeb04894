// The engine's stories without an engine: each keeps its options and answers with what the test has put in.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "api.hpp"
#include "base/error.hpp"

namespace pgsluice::cli {

struct FakeAnswers {
    std::optional<Error> error;        // thrown by every story, after the events
    std::vector<report::Event> events; // emitted by every story
    RefreshReport refresh;
    PlanReport plan;
    CheckReport check;
    VerifyReport verify;
    RollbackReport rollback;
    CleanupReport cleanup;
    HistoryReport history;
    PendingReport pending;
    MarkReport mark;
    RefreshOptions refresh_options; // of the last call
    AllowTargetOptions allow_target_options;
    int calls = 0, marks_written = 0;
};

class FakeApi {
public:
    Api api() const;
    FakeAnswers* operator->() const { return answers_.get(); }

private:
    std::shared_ptr<FakeAnswers> answers_ = std::make_shared<FakeAnswers>();
};

template <class T>
T answer(FakeAnswers& answers, const T& value, Observer& observer) {
    ++answers.calls;
    for (const report::Event& event : answers.events) observer.on(event);
    if (answers.error) throw Error{*answers.error};
    return value;
}

inline Api FakeApi::api() const {
    const auto it = answers_;
    Api api;
    api.refresh = [it](RefreshOptions options, Observer& observer) {
        it->refresh_options = std::move(options);
        return answer(*it, it->refresh, observer);
    };
    api.swap = [it](const SwapOptions&, Observer& observer) { return answer(*it, it->refresh, observer); };
    api.plan = [it](RefreshOptions options, Observer& observer) {
        it->refresh_options = std::move(options);
        return answer(*it, it->plan, observer);
    };
    api.check = [it](const RefreshOptions&, Observer& observer) { return answer(*it, it->check, observer); };
    api.verify = [it](const VerifyOptions&, Observer& observer) { return answer(*it, it->verify, observer); };
    api.rollback = [it](const RollbackOptions&, Observer& observer) {
        return answer(*it, it->rollback, observer);
    };
    api.cleanup = [it](const CleanupOptions&, Observer& observer) {
        return answer(*it, it->cleanup, observer);
    };
    api.history = [it](const HistoryOptions&, Observer& observer) {
        return answer(*it, it->history, observer);
    };
    api.pending = [it](const PendingOptions&, Observer& observer) {
        return answer(*it, it->pending, observer);
    };
    api.inspect_target = [it](const AllowTargetOptions&, Observer& observer) {
        return answer(*it, it->mark, observer);
    };
    api.allow_target = [it](AllowTargetOptions options, Observer& observer) {
        it->allow_target_options = std::move(options);
        ++it->marks_written;
        return answer(*it, it->mark, observer);
    };
    return api;
}

} // namespace pgsluice::cli
