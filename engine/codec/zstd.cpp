#include "codec/zstd.hpp"

#include <memory>
#include <string>

#include <zstd.h>

#include "base/error.hpp"

namespace pgsluice::codec {
namespace {

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// One per thread: creating a context costs more than compressing a block with it.
ZSTD_CCtx* compression_context() {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context{ZSTD_createCCtx()};
    if (!context) throw std::bad_alloc{};
    return context.get();
}

ZSTD_DCtx* decompression_context() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context{ZSTD_createDCtx()};
    if (!context) throw std::bad_alloc{};
    return context.get();
}

// Compresses into this thread's scratch and returns what was written there.
std::string_view compress_to_scratch(std::string_view raw, int level) {
    thread_local std::vector<char> scratch;
    const std::size_t bound = ZSTD_compressBound(raw.size());
    if (scratch.size() < bound) scratch.resize(bound);
    const std::size_t size = ZSTD_compressCCtx(compression_context(), scratch.data(), scratch.size(),
                                               raw.data(), raw.size(), level);
    if (ZSTD_isError(size) != 0) {
        throw Error{ErrorKind::internal, std::string("cannot compress: ") + ZSTD_getErrorName(size)};
    }
    return {scratch.data(), size};
}

[[noreturn]] void refuse_frame(const char* why) {
    throw Error{ErrorKind::source, std::string("damaged zstd frame: ") + why};
}

} // namespace

std::vector<char> zstd_compress(std::string_view raw, int level) {
    const std::string_view frame = compress_to_scratch(raw, level);
    return {frame.begin(), frame.end()};
}

std::optional<std::vector<char>> zstd_compress_within(std::string_view raw, std::size_t frame_bytes_max,
                                                      int level) {
    const std::string_view frame = compress_to_scratch(raw, level);
    if (frame.size() > frame_bytes_max) return std::nullopt;
    return std::vector<char>(frame.begin(), frame.end());
}

void zstd_decompress_into(std::string_view frame, std::size_t raw_bytes_max, std::vector<char>& raw) {
    const unsigned long long claimed = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (claimed == ZSTD_CONTENTSIZE_ERROR) refuse_frame("no frame header");
    // Our own frames always say their size; one that does not is not ours.
    if (claimed == ZSTD_CONTENTSIZE_UNKNOWN) refuse_frame("its size is unknown");
    if (claimed > raw_bytes_max) refuse_frame("larger than allowed");
    raw.resize(static_cast<std::size_t>(claimed));
    const std::size_t size =
        ZSTD_decompressDCtx(decompression_context(), raw.data(), raw.size(), frame.data(), frame.size());
    if (ZSTD_isError(size) != 0) refuse_frame(ZSTD_getErrorName(size));
    if (size != raw.size()) refuse_frame("its size is not what it says");
}

std::vector<char> zstd_decompress(std::string_view frame, std::size_t raw_bytes_max) {
    std::vector<char> raw;
    zstd_decompress_into(frame, raw_bytes_max, raw);
    return raw;
}

} // namespace pgsluice::codec
