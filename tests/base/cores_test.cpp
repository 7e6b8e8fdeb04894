// A container's CPU quota, in the files of both versions of control groups.
#include "base/cores.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "support/catch.hpp"

using namespace pgsluice;

namespace {

struct Folder {
    Folder() { std::filesystem::create_directories(path + "/cpu"); }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path + "/" + name) << text;
    }
    std::string path =
        (std::filesystem::temp_directory_path() / ("cgroup-" + std::to_string(::getpid()))).string();
};

} // namespace

TEST_CASE("cores are a quota per period, rounded up") {
    const Folder cgroup;
    CHECK(quota_cores(cgroup.path) == 0);
    SECTION("version 2") {
        cgroup.write("cpu.max", "max 100000\n");
        CHECK(quota_cores(cgroup.path) == 0);
        cgroup.write("cpu.max", "150000 100000\n");
        CHECK(quota_cores(cgroup.path) == 2);
        cgroup.write("cpu.max", "50000 100000\n");
        CHECK(quota_cores(cgroup.path) == 1);
    }
    SECTION("version 1") {
        cgroup.write("cpu/cpu.cfs_period_us", "100000\n");
        cgroup.write("cpu/cpu.cfs_quota_us", "-1\n");
        CHECK(quota_cores(cgroup.path) == 0);
        cgroup.write("cpu/cpu.cfs_quota_us", "300000\n");
        CHECK(quota_cores(cgroup.path) == 3);
    }
    CHECK(usable_cores() >= 1);
}
