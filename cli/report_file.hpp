// --report: opened before anything is written anywhere, so that a refresh never ends without a place for its
// report.
#pragma once
#include <string>

namespace pgsluice::cli {

class ReportFile {
public:
    // Empties the file, readable by its owner only; an empty file afterwards is a run that was killed. Throws
    // Error{usage}. An empty path is no file.
    explicit ReportFile(std::string path);
    ~ReportFile();
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;

    // Replaces the content. Throws Error{internal} when the disk is full.
    void write(const std::string& json);

private:
    std::string path_;
    int file_ = -1;
};

} // namespace pgsluice::cli
