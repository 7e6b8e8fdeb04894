// The pipe of a lane without servers: what a block costs from push to pop, raw and with compression, next to
// the bare copy of its bytes.
//
//   pipe_bench [ROUNDS]
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/limits.hpp"
#include "flow/deadline.hpp"
#include "rows/pipe.hpp"
#include "samples.hpp"

using namespace pgsluice;
using flow::Task;

namespace {

constexpr int blocks = 4000; // 1 GB

rows::Block rows_like() {
    rows::Block block;
    block.reserve(limits::block_bytes_max);
    for (int i = 0; block.size() + 100 < limits::block_bytes_max; ++i) {
        const std::string row = fmt::format("{}\tPerson {}\t2024-01-{:02} 10:{:02}:00+00\t{}\n", i * 7919,
                                            i % 977, 1 + i % 28, i % 60, i % 3 == 0 ? "\\N" : "High Street");
        block.insert(block.end(), row.begin(), row.end());
    }
    return block;
}

Task<void> produce(rows::Pipe* pipe, const rows::Block* sample) {
    for (int i = 0; i < blocks; ++i) {
        rows::Block block = pipe->take_spare();
        block.resize(sample->size());
        std::memcpy(block.data(), sample->data(), sample->size());
        co_await pipe->push(std::move(block));
    }
    pipe->finish();
}

Task<void> consume(rows::Pipe* pipe, flow::Duration pause) {
    for (;;) {
        std::optional<rows::Block> block = co_await pipe->pop();
        if (!block) break;
        if (pause != flow::Duration::zero()) co_await flow::sleep_for(pause);
        pipe->give_spare(std::move(*block));
    }
}

void run(const char* name, int rounds, std::size_t memory, flow::Duration pause) {
    const rows::Block sample = rows_like();
    bench::Samples wall, cpu;
    double compressed = 0;
    for (int round = 0; round < rounds; ++round) {
        asio::io_context loop{1};
        asio::thread_pool helpers{1};
        rows::Budget budget(memory, 1);
        rows::Pipe pipe(loop.get_executor(), helpers.get_executor(), budget);
        const auto failed = [](const std::exception_ptr& error) {
            if (error) std::abort();
        };
        const double began = bench::wall_now(), cpu_began = bench::own_cpu_now();
        asio::co_spawn(loop, produce(&pipe, &sample), failed);
        asio::co_spawn(loop, consume(&pipe, pause), failed);
        loop.run();
        wall.add((bench::wall_now() - began) / blocks * 1e6);
        cpu.add((bench::own_cpu_now() - cpu_began) / blocks * 1e6);
        compressed = 100.0 * static_cast<double>(pipe.statistics().blocks_compressed) / blocks;
    }
    fmt::print("{:<28} wall {:<22} CPU {:<22} µs per block of 256 KiB, {:.0f} % compressed\n", name,
               wall.text(), cpu.text(), compressed);
}

void run_bare(int rounds) {
    const rows::Block sample = rows_like();
    bench::Samples wall;
    rows::Block block(sample.size());
    for (int round = 0; round < rounds; ++round) {
        const double began = bench::wall_now();
        for (int i = 0; i < blocks; ++i) {
            std::memcpy(block.data(), sample.data(), sample.size());
            asm volatile("" : : "g"(block.data()) : "memory");
        }
        wall.add((bench::wall_now() - began) / blocks * 1e6);
    }
    fmt::print("{:<28} wall {:<22}     {:<22} µs per block of 256 KiB\n", "memcpy alone", wall.text(), "");
}

} // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
    run_bare(rounds);
    run("the consumer keeps up", rounds, limits::memory_bytes_default, {});
    run("little memory, keeps up", rounds, limits::MiB, {});
    run("little memory, slow consumer", std::min(rounds, 2), limits::MiB, std::chrono::microseconds(100));
    return 0;
}
