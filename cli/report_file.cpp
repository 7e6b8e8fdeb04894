#include "report_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.hpp"

namespace pgsluice::cli {

ReportFile::ReportFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0)
        throw Error{ErrorKind::usage, "cannot open report file " + path_ + ": " + std::strerror(errno)}.hint(
            "with a read-only root file system: a path in a mounted volume");
}

ReportFile::~ReportFile() {
    if (file_ >= 0) ::close(file_);
}

void ReportFile::write(const std::string& json) {
    if (file_ < 0) return;
    const auto fail = [&] {
        throw Error{ErrorKind::internal, "cannot write report file " + path_ + ": " + std::strerror(errno)};
    };
    // Neither is possible on a pipe or a terminal, and not needed there.
    if (::ftruncate(file_, 0) == 0) ::lseek(file_, 0, SEEK_SET);
    const std::string text = json + "\n";
    std::string_view left = text;
    while (!left.empty()) {
        const ssize_t written = ::write(file_, left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail();
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file_) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) fail();
}

} // namespace pgsluice::cli
