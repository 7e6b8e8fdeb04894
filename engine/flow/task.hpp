// Coroutines of the engine. Task<T> is Asio's awaitable; everything that waits returns one. Traps of gcc 12
// (a named options struct and a named lambda before each co_await, no ?: around it) are in the README's
// design notes.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace pgsluice {
namespace asio = boost::asio;
namespace flow {

template <class T = void>
using Task = asio::awaitable<T>;
using Executor = asio::any_io_executor;

} // namespace flow
} // namespace pgsluice
