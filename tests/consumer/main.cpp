// The 20 lines that another program needs: run a refresh, watch it, learn why it failed.
#include <api/refresh.hpp>
#include <base/error.hpp>
#include <iostream>

struct Watcher : pgsluice::Observer {
    void on(const pgsluice::report::Event&) override { ++events; }
    int events = 0;
};

int main() {
    pgsluice::RefreshOptions options;
    options.connect.source = "host=127.0.0.1 port=1 dbname=prod connect_timeout=2";
    options.connect.target = "host=127.0.0.1 port=1 dbname=preprod connect_timeout=2";
    Watcher watcher;
    try {
        pgsluice::refresh_blocking(options, watcher);
    } catch (const pgsluice::Error& error) {
        std::cout << error.what() << "\n";
        return error.kind() == pgsluice::ErrorKind::connection ? 0 : 1;
    }
    return 1;
}
