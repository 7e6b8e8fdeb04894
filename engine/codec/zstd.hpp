// zstd over whole blocks. Pure; thread-safe, as each thread keeps its own contexts and scratch from one call
// to the next. Errors are Error{internal}, and Error{source} for a frame that is not what it says.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace pgsluice::codec {

std::vector<char> zstd_compress(std::string_view raw, int level = 1);
// Nothing when the frame would be larger than `frame_bytes_max`. The frame's vector has no spare capacity, as
// it may wait in memory for long.
std::optional<std::vector<char>> zstd_compress_within(std::string_view raw, std::size_t frame_bytes_max,
                                                      int level = 1);

// `raw_bytes_max` bounds the allocation whatever the frame claims.
std::vector<char> zstd_decompress(std::string_view frame, std::size_t raw_bytes_max);
// The same into a vector that is used again; afterwards its size is that of the raw bytes.
void zstd_decompress_into(std::string_view frame, std::size_t raw_bytes_max, std::vector<char>& raw);

} // namespace pgsluice::codec
