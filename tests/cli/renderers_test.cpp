// What a person and a program read while a run goes on, to the letter.
#include <algorithm>
#include <atomic>

#include "cli/world_fixture.hpp"
#include "display_width.hpp"
#include "event_lines.hpp"
#include "json_renderer.hpp"
#include "live_renderer.hpp"
#include "support/catch.hpp"
#include "text_renderer.hpp"
#include "ticker.hpp"

using namespace pgsluice;
using namespace pgsluice::cli;
using namespace pgsluice::report;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

const RunStarted started{"abcdefgh", "refresh", "prod:5432/app", "preprod:5432/app"};

struct Stage {
    TestWorld world;
    Now now() const { return {world.wall, world.steady}; }
    std::string take() {
        const std::string text = world.err.str();
        world.err.str("");
        return text;
    }
};

} // namespace

TEST_CASE("the text log has a line per finished task and one of progress every 10 seconds") {
    Stage stage;
    TextRenderer text{stage.world.err, Verbosity::normal};
    const auto send = [&](const Event& event) { text.on(event, stage.now()); };
    send(started);
    send(StepStarted{"reading both catalogs"});
    send(PlanMade{2, 200 * MiB, 2, 200 * MiB});
    send(TaskStarted{0, 1, "copy", "copy public.orders", 100 * MiB, 100 * MiB});
    CHECK(stage.take() == "2025-11-26T00:00:00.000Z abcdefgh refresh from prod:5432/app to preprod:5432/app\n"
                          "2025-11-26T00:00:00.000Z abcdefgh reading both catalogs\n"
                          "2025-11-26T00:00:00.000Z abcdefgh plan: 2 tasks, 200 MiB to copy, 2 lanes\n");
    stage.world.pass(5s);
    send(BytesMoved{0, 1, 50 * MiB, 500});
    text.tick(stage.now());
    CHECK(stage.take().empty());
    stage.world.pass(5s);
    text.tick(stage.now()); // no event comes: a long index build must not look like a hang
    CHECK(stage.take() ==
          "2025-11-26T00:00:10.000Z abcdefgh progress 25%, 0 of 2 tasks, 50 MiB copied, 5.0 MiB/s, about "
          "30 s left; copy public.orders\n");
    send(TaskFinished{0, 1, "copy", "copy public.orders", true, 100 * MiB, 1234567, 10s});
    send(TaskFinished{1, 2, "index", "index public.orders_pkey", false, 0, 0, 300ms});
    send(SourceReleased{61s});
    send(Remarked{"trigger audit", "not carried", "grant it", "create trigger"});
    send(Noted{"", "a note"});
    send(Swapped{"app_previous", 430ms});
    send(RunFinished{true, "swapped", 12s});
    text.finish("done: all", stage.now());
    const std::string at = "2025-11-26T00:00:10.000Z abcdefgh ";
    CHECK(stage.take() == at + "done copy public.orders: 1,234,567 rows, 100 MiB in 10.0 s (10 MiB/s)\n" +
                              at + "failed index public.orders_pkey in 0.30 s\n" + at +
                              "source released: its snapshot was held 1 min 1 s\n" + at +
                              "remark: trigger audit: not carried\n" + at + "  HINT: grant it\n" + at +
                              "note: a note\n" + at +
                              "swapped: the target was away 0.43 s, the old database is app_previous\n" + at +
                              "done: all\n");
}

TEST_CASE("a hostile name stays on its line and cannot move the cursor") {
    Stage stage;
    TextRenderer text{stage.world.err, Verbosity::normal};
    text.on(TaskFinished{0, 1, "index", "index a\nroot: all is lost\x1b[2J", true, 0, 0, 1s}, stage.now());
    CHECK(stage.take() == "2025-11-26T00:00:00.000Z - done index a root: all is lost [2J in 1.00 s\n");
    for (const std::string& line : error_lines(Error{ErrorKind::target, "a\nb"}.detail("c\r").hint("d\x1b")))
        CHECK(line.find_first_of("\n\r\x1b") == std::string::npos);
}

TEST_CASE("verbose adds starts and SQL, quiet leaves remarks and failures") {
    Stage stage;
    TextRenderer verbose{stage.world.err, Verbosity::verbose}, quiet{stage.world.err, Verbosity::quiet};
    const Event events[] = {started, TaskStarted{0, 1, "copy", "public.a", 1},
                            Remarked{"trigger x", "not carried", "", "create\ntrigger"}, Noted{"", "n"},
                            TaskFinished{0, 1, "copy", "public.a", true, 1, 1, 1s}};
    for (const Event& event : events) verbose.on(event, stage.now());
    const std::string said = stage.take();
    CHECK(said.find("abcdefgh start copy public.a in lane 1\n") != std::string::npos);
    CHECK(said.find("abcdefgh   SQL: create trigger\n") != std::string::npos);
    for (const Event& event : events) quiet.on(event, stage.now());
    stage.world.pass(20s);
    quiet.tick(stage.now());
    quiet.finish("done", stage.now());
    CHECK(stage.take() == "2025-11-26T00:00:00.000Z abcdefgh remark: trigger x: not carried\n");
}

TEST_CASE("json lines carry time and run id, and bytes at most once a second and lane") {
    Stage stage;
    JsonRenderer json{stage.world.err, Verbosity::normal};
    json.on(started, stage.now());
    CHECK(
        stage.take() ==
        R"({"time":"2025-11-26T00:00:00.000Z","run_id":"abcdefgh","event":"run_started","command":"refresh",)"
        R"("source":"prod:5432/app","target":"preprod:5432/app"})"
        "\n");
    json.on(BytesMoved{3, 1, 10, 1}, stage.now());
    CHECK(
        stage.take() ==
        R"({"time":"2025-11-26T00:00:00.000Z","run_id":"abcdefgh","event":"bytes_moved","task":3,"lane":1,"bytes":10,"rows":1})"
        "\n");
    stage.world.pass(500ms);
    json.on(BytesMoved{3, 1, 20, 2}, stage.now());
    CHECK(stage.take().empty());
    json.on(BytesMoved{4, 2, 20, 2}, stage.now()); // another lane
    CHECK_FALSE(stage.take().empty());
    stage.world.pass(500ms);
    json.on(BytesMoved{3, 1, 30, 3}, stage.now());
    CHECK_FALSE(stage.take().empty());
    json.on(TaskFinished{3, 1, "copy", "copy a\"b", true, 30, 3, 1500ms}, stage.now());
    CHECK(
        stage.take() ==
        R"({"time":"2025-11-26T00:00:01.000Z","run_id":"abcdefgh","event":"task_finished","task":3,"lane":1,)"
        R"("kind":"copy","label":"copy a\"b","succeeded":true,"bytes":30,"rows":3,"seconds":1.5})"
        "\n");
    json.fail(Error{ErrorKind::attention, "broken"}.hint("do this"), stage.now());
    CHECK(stage.take() ==
          R"({"time":"2025-11-26T00:00:01.000Z","run_id":"abcdefgh","event":"error","message":"broken",)"
          R"("sqlstate":"","object":"","detail":"","hint":"do this","exit_code":4})"
          "\n");
}

TEST_CASE("the live block is drawn over itself and gives the cursor back") {
    Stage stage;
    stage.world.size = {70, 24};
    {
        LiveRenderer live{stage.world.err, Verbosity::normal, [&] { return stage.world.size; }};
        const auto send = [&](const Event& event) {
            stage.world.pass(100ms);
            live.on(event, stage.now());
        };
        send(started);
        CHECK(stage.take() == "refresh from prod:5432/app to preprod:5432/app\n\x1b[?25lrefresh  0 s\n");
        send(PlanMade{2, 100 * MiB, 2, 100 * MiB});
        stage.take();
        send(TaskStarted{0, 1, "copy", "copy public.orders", 50 * MiB, 50 * MiB});
        send(TaskStarted{1, 2, "index", "index public.orders_pkey", 50 * MiB, 50 * MiB});
        stage.take();
        stage.world.pass(3s);
        send(BytesMoved{0, 1, 25 * MiB, 1});
        CHECK(stage.take() == "\x1b[3A\r\x1b[J"
                              "[#####----------------]  25%  25 MiB  7.4 MiB/s  3 s, about 10 s left\n"
                              "  1 copy public.orders                         25 MiB of about 50 MiB\n"
                              "  2 index public.orders_pkey                                      3 s\n");
        live.on(BytesMoved{0, 1, 26 * MiB, 1}, stage.now()); // within 100 ms of the last drawing
        CHECK(stage.take().empty());
        send(Remarked{"trigger x", "not carried", "", ""});
        CHECK(stage.take().starts_with("\x1b[3A\r\x1b[Jremark: trigger x: not carried\n["));
    }
    CHECK(stage.take() == "\x1b[3A\r\x1b[J\x1b[?25h"); // an exception destroys the renderer, too
}

TEST_CASE("the live block fits a small terminal") {
    Stage stage;
    stage.world.size = {30, 6};
    LiveRenderer live{stage.world.err, Verbosity::normal, [&] { return stage.world.size; }};
    live.on(started, stage.now());
    live.on(PlanMade{9, 100, 9, 100}, stage.now());
    for (int lane = 1; lane <= 9; ++lane)
        live.on(
            TaskStarted{
                static_cast<std::uint32_t>(lane), lane, "copy",
                "copy public.\xE6\xA1\x8C\xE5\xAD\x90\xE6\xA1\x8C\xE5\xAD\x90\xE6\xA1\x8C\xE5\xAD\x90 long",
                1},
            stage.now());
    stage.take();
    stage.world.pass(1s);
    live.tick(stage.now());
    const std::string drawn = stage.take();
    const std::string text = drawn.substr(drawn.find("\x1b[J") + 3);
    CHECK(std::count(text.begin(), text.end(), '\n') == 4);
    CHECK(text.find("and 7 more lanes\n") != std::string::npos);
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = text.find('\n', start);
        CHECK(display_width(text.substr(start, end - start)) <= 29);
        start = end + 1;
    }
}

TEST_CASE("widths are those of a terminal") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("z\xC3\xBC") == 2);
    CHECK(display_width("e\xCC\x81") == 1);        // a combining accent
    CHECK(display_width("\xE6\xA1\x8C") == 2);     // CJK
    CHECK(display_width("\xF0\x9F\x90\x98") == 2); // an elephant
    CHECK(display_width("\xFF\xC3") == 2);         // no UTF-8
    CHECK(cut_to_width("public.orders", 8) == "publi...");
    CHECK(cut_to_width("\xE6\xA1\x8C\xE6\xA1\x8C\xE6\xA1\x8C", 5) == "\xE6\xA1\x8C...");
    CHECK(cut_to_width("abcd", 2) == "ab");
    CHECK(fit_to_width("ab", 4) == "ab  ");
}

TEST_CASE("the time left is not guessed from the first moments") {
    Rate rate;
    const Rate::Time start{};
    rate.sample(start, 0, 0);
    rate.sample(start + 1s, 100, 0.5);
    CHECK(rate.bytes_per_second() == 100);
    CHECK_FALSE(rate.left());
    rate.sample(start + 4s, 400, 0.5);
    CHECK(rate.left() == 4s);
    rate.sample(start + 100s, 400, 0.5); // nothing moves any more
    CHECK(rate.bytes_per_second() < 5);
}

TEST_CASE("a ticker thread draws while no event comes and ends with the run") {
    struct Counting : Renderer {
        std::atomic<int> ticks = 0;
        void on(const Event&, const Now&) override {}
        void tick(const Now&) override { ++ticks; }
        std::chrono::milliseconds tick_every() const override { return 1ms; }
        void finish(const std::string&, const Now&) override {}
        void fail(const Error&, const Now&) override {}
    } renderer;
    Ticker ticker{renderer, real_clock(), true};
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (renderer.ticks < 3 && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(1ms);
    CHECK(renderer.ticks >= 3);
    ticker.finish("");
    const int after = renderer.ticks;
    std::this_thread::sleep_for(20ms);
    CHECK(renderer.ticks == after);
}
