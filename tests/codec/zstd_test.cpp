#include "codec/zstd.hpp"

#include <string>

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace pgsluice;

namespace {

std::string text(const std::vector<char>& bytes) { return {bytes.begin(), bytes.end()}; }
std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

} // namespace

TEST_CASE("zstd gives back what it took, from nothing to a megabyte") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
        std::string raw(size, 'a');
        for (std::size_t i = 0; i < size; i += 7) raw[i] = static_cast<char>(i * 31);
        const std::vector<char> frame = codec::zstd_compress(raw);
        CHECK(text(codec::zstd_decompress(view(frame), size)) == raw);
    }
}

// A frame waits in the pipe: what its vector reserves beyond its size would be memory that nobody counts.
TEST_CASE("a frame that fits has no spare capacity, one that does not is nothing") {
    const std::string raw(100'000, 'x');
    const auto frame = codec::zstd_compress_within(raw, raw.size() / 2);
    REQUIRE(frame);
    CHECK(frame->capacity() == frame->size());
    CHECK_FALSE(codec::zstd_compress_within(raw, 5));
}

TEST_CASE("a frame cannot make us allocate more than allowed") {
    const std::vector<char> frame = codec::zstd_compress(std::string(1'000'000, 'x'));
    CHECK_THROWS_AS(codec::zstd_decompress(view(frame), 999'999), Error);
    CHECK(codec::zstd_decompress(view(frame), 1'000'000).size() == 1'000'000);
}

TEST_CASE("every damaged frame is an error or at least no more than was allowed") {
    const std::string raw = "some rows\t1\t2\nsome rows\t3\t4\n";
    const std::vector<char> frame = codec::zstd_compress(raw);
    for (std::size_t kept = 0; kept < frame.size(); ++kept) {
        CHECK_THROWS_AS(codec::zstd_decompress(view(frame).substr(0, kept), raw.size()), Error);
    }
    for (std::size_t at = 0; at < frame.size() * 8; ++at) {
        std::vector<char> damaged = frame;
        damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << (at % 8)));
        try {
            const std::vector<char> read = codec::zstd_decompress(view(damaged), raw.size());
            CHECK(read.size() <= raw.size());
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::source);
        }
    }
}
