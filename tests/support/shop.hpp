// A small shop for tests of what only the target has: users who order, and a view of what they spend.
#pragma once

namespace pgsluice::tests {

inline constexpr const char* shop = R"(
create type mood as enum ('sad', 'ok');
create table users (id serial primary key, name text not null unique, feeling mood default 'ok');
create table orders (id bigint generated always as identity primary key, user_id int not null references users,
    total numeric(10, 2) check (total >= 0));
create view spenders as select u.name, sum(o.total) as total from users u join orders o on o.user_id = u.id group by 1;
)";
inline constexpr const char* shop_rows = R"(
insert into users (name) select 'user ' || i from generate_series(1, 50) i;
insert into orders (user_id, total) select 1 + i % 50, i from generate_series(1, 500) i;
)"; // the source's

} // namespace pgsluice::tests
