/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about devices and memory. One lock for the tables, never held over a library call. */
#include "app.hpp"

#include <chrono>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace app {
namespace {
struct Live {
	standin_buffer *buffer;
	int mesh;
	bool captured;
};

std::mutex tables;
std::map<int, standin_mesh *> meshes;
std::map<int, Live> buffers;
int next_mesh, next_buffer;

const std::pair<const char *, uint32_t> types[] = {{"dram", STANDIN_DRAM},
						   {"l1", STANDIN_L1},
						   {"l1_small", STANDIN_L1_SMALL},
						   {"trace", STANDIN_TRACE},
						   {"system", STANDIN_SYSTEM}};

uint32_t type_of(const std::string &word)
{
	for (const auto &[name, type] : types)
		if (word == name)
			return type;
	throw std::invalid_argument(word + " is no memory type");
}

const char *type_name(uint32_t wanted)
{
	for (const auto &[name, type] : types)
		if (type == wanted)
			return name;
	return "?";
}

standin_mesh *mesh_of(uint64_t id)
{
	std::lock_guard<std::mutex> guard(tables);
	auto found = meshes.find(static_cast<int>(id));

	if (found == meshes.end())
		throw std::invalid_argument("no mesh " + number(id));
	return found->second;
}

std::string keep_mesh(standin_mesh *mesh)
{
	std::lock_guard<std::mutex> guard(tables);

	meshes[next_mesh] = mesh;
	return object({{"mesh", number(next_mesh++)}});
}

int keep_buffer(standin_buffer *buffer, uint64_t mesh, bool captured = false)
{
	std::lock_guard<std::mutex> guard(tables);

	buffers[next_buffer] = {buffer, static_cast<int>(mesh), captured};
	return next_buffer++;
}

size_t live()
{
	std::lock_guard<std::mutex> guard(tables);
	return buffers.size();
}

thread_local bool capturing;

/* Takes out of the table what matches; to be freed without the lock. */
template <typename Match> std::vector<standin_buffer *> take_out(Match match)
{
	std::lock_guard<std::mutex> guard(tables);
	std::vector<standin_buffer *> out;

	for (auto it = buffers.end(); it != buffers.begin();) {
		--it;
		if (match(*it)) {
			out.push_back(it->second.buffer);
			it = buffers.erase(it);
		}
	}
	return out;
}

template <typename Match> size_t free_all(Match match)
{
	auto all = take_out(match);

	for (standin_buffer *b : all)
		standin.free(b);
	return all.size();
}

standin_request request_of(Words &words)
{
	standin_request r{};

	r.type = type_of(words.next());
	r.size = words.number();
	r.page_size = words.number();
	r.cores = static_cast<uint32_t>(words.number_or(0));
	r.layout = static_cast<uint32_t>(words.number_or(r.cores ? 2 : 0));
	return r;
}

std::string allocate(uint64_t mesh, const standin_request &request)
{
	standin_buffer *buffer;
	standin_description d;
	char error[512] = "";
	int code = standin.alloc(mesh_of(mesh), &request, &buffer, error, sizeof error);

	if (code < 0)
		return object({{"error", quoted(error)}, {"code", number(code)}});
	standin.describe(buffer, &d);
	return object({{"buffer", number(keep_buffer(buffer, mesh, capturing))},
		       {"address", number(d.address)}});
}

uint64_t made_up_id(uint64_t chip) { return 1000000000000000001u + chip; }

/* "3", or "0:UNIQUE:PCI,1,..." */
std::string open(Words &words)
{
	std::string list = words.next();
	uint64_t l1_small = words.number_or(0), trace = words.number_or(0);
	std::vector<standin_chip> chips;
	std::vector<std::string> addresses;

	if (list.find_first_of(",:") == std::string::npos) {
		uint64_t count = std::stoull(list);

		for (uint64_t i = 0; i < count && i < 4096; i++)
			chips.push_back({static_cast<int32_t>(i), made_up_id(i), nullptr});
	} else {
		std::istringstream in(list);
		std::string item;

		while (std::getline(in, item, ',')) {
			std::istringstream parts(item);
			std::string id, unique, bdf;

			std::getline(parts, id, ':');
			std::getline(parts, unique, ':');
			std::getline(parts, bdf); /* has colons of its own */
			addresses.push_back(bdf);
			chips.push_back({std::stoi(id),
					 unique.empty() ? made_up_id(std::stoul(id))
							: std::stoull(unique, nullptr, 0),
					 nullptr});
		}
		for (size_t i = 0; i < chips.size(); i++)
			chips[i].bdf = addresses[i].empty() ? nullptr : addresses[i].c_str();
	}
	if (chips.empty())
		throw std::invalid_argument("no chips");
	bool parent = words.next_or(chips.size() == 1 ? "parent" : "noparent") == "parent";

	return keep_mesh(standin.open(chips.data(), chips.size(), l1_small, trace, parent));
}

std::string submesh(Words &words)
{
	standin_mesh *parent = mesh_of(words.number());
	uint64_t first = words.number();
	standin_mesh *mesh = standin.submesh(parent, first, words.number_or(1));

	if (!mesh)
		throw std::invalid_argument("the mesh has not so many chips");
	return keep_mesh(mesh);
}

/* Buffers go after their device, as those that Python still holds. */
std::string close(Words &words)
{
	uint64_t id = words.number();
	standin_mesh *mesh = mesh_of(id);
	{
		std::lock_guard<std::mutex> guard(tables);
		meshes.erase(static_cast<int>(id));
	}
	standin.close(mesh);
	size_t left = free_all([&](auto &b) { return b.second.mesh == static_cast<int>(id); });

	return object({{"closed", number(id)}, {"left", number(left)}});
}

std::string free_one(Words &words)
{
	uint64_t id = words.number();

	if (!free_all([&](auto &b) { return b.first == static_cast<int>(id); }))
		throw std::invalid_argument("no buffer " + number(id));
	return object({{"freed", number(id)}});
}

std::string view(Words &words)
{
	uint64_t mesh = words.number(), address = words.number_or(0);
	standin_request r{};

	r.size = words.number_or(2048);
	r.page_size = words.number_or(2048);
	r.type = type_of(words.next_or("dram"));
	standin_buffer *buffer = standin.view(mesh_of(mesh), address ? address : 0x200000, &r);

	if (!buffer)
		throw std::invalid_argument("the mesh is closed");
	if (address)
		return object({{"view", "true"}, {"buffer", number(keep_buffer(buffer, mesh))}});
	standin.free(buffer);
	return object({{"view", "true"}});
}

std::string capture_begin()
{
	standin.capture(1);
	capturing = true;
	return object({{"capture", "true"}});
}

std::string capture_end()
{
	standin.capture(0);
	capturing = false;
	free_all([](auto &b) { return b.second.captured; });
	return object({{"capture", "false"}});
}

std::string capture(Words &words)
{
	std::string word = words.next();

	if (word == "begin")
		return capture_begin();
	if (word == "end")
		return capture_end();
	standin_request r{};
	uint64_t mesh = std::stoull(word);

	r.page_size = 2048;
	r.size = words.number();
	capture_begin();
	std::string answer = allocate(mesh, r);
	capture_end();
	return answer.find("error") != std::string::npos ? answer : object({{"capture", "true"}});
}

std::string fail(Words &words)
{
	uint64_t mesh = words.number();
	standin_request r{};

	r.type = type_of(words.next());
	r.size = uint64_t(1) << 40;
	r.page_size = 2048;
	if (r.type == STANDIN_L1_SMALL)
		r.cores = 1;
	return allocate(mesh, r);
}

std::string validate(Words &words)
{
	standin_request r{};

	r.size = 3000;
	r.page_size = 2048;
	return allocate(words.number(), r);
}

std::string cb(Words &words)
{
	standin_mesh *mesh = mesh_of(words.number());
	uint64_t address = words.number(), size = words.number();
	const uint64_t range[4] = {words.number(), words.number(), words.number(), words.number()};

	standin.cb(mesh, address, size, range);
	return object({{"cb", "true"}});
}

std::string cb_free(Words &words)
{
	standin.cb_end(mesh_of(words.number()));
	return object({{"cb", "false"}});
}

/* One random request: mostly interleaved, some sharded L1 of few pages. */
standin_request random_request(std::mt19937 &random)
{
	standin_request r{};

	r.type = random() % 2 ? STANDIN_L1 : STANDIN_DRAM;
	r.page_size = 32u << random() % 8;
	r.size = r.page_size * (1 + random() % 500);
	if (r.type == STANDIN_L1 && random() % 8 == 0) {
		r.cores = 1 + random() % 64;
		r.layout = 2 + random() % 3;
		r.size = r.page_size * (1 + random() % (2 * r.cores));
	}
	return r;
}

/* A history over buffers of its own; what lives at its end goes into the table. */
void history(uint64_t mesh, uint64_t steps, uint64_t seed)
{
	standin_mesh *device = mesh_of(mesh);
	std::mt19937 random(static_cast<unsigned>(seed));
	std::vector<standin_buffer *> mine;
	char error[512];

	for (uint64_t i = 0; i < steps; i++) {
		if (!mine.empty() && random() % 100 < 45) {
			size_t at = random() % mine.size();

			standin.free(mine[at]);
			mine[at] = mine.back();
			mine.pop_back();
			continue;
		}
		standin_request r = random_request(random);
		standin_buffer *buffer;

		if (standin.alloc(device, &r, &buffer, error, sizeof error) == 0)
			mine.push_back(buffer);
	}
	for (standin_buffer *b : mine)
		keep_buffer(b, mesh);
}

std::string random_history(Words &words)
{
	uint64_t mesh = words.number(), steps = words.number();

	history(mesh, steps, words.number());
	return object({{"live", number(live())}});
}

std::string threads(Words &words)
{
	uint64_t mesh = words.number(), steps = words.number(), count = words.number();
	std::vector<std::thread> all;

	mesh_of(mesh); /* complains here, not in a thread */
	for (uint64_t i = 0; i < count; i++)
		all.emplace_back(history, mesh, steps, 100 + i);
	for (auto &t : all)
		t.join();
	return object({{"live", number(live())}});
}

std::string many(Words &words)
{
	uint64_t mesh = words.number(), count = words.number(), made = 0;
	standin_mesh *device = mesh_of(mesh);
	standin_request r{};
	standin_buffer *buffer;
	char error[512];

	r.size = r.page_size = 32;
	r.no_shards = 1;
	while (made < count && standin.alloc(device, &r, &buffer, error, sizeof error) == 0) {
		keep_buffer(buffer, mesh);
		made++;
	}
	return object({{"made", number(made)}});
}

std::string free_everything(Words &)
{
	free_all([](auto &) { return true; });
	return object({{"live", number(live())}});
}

std::string free_first(Words &)
{
	int lowest;
	{
		std::lock_guard<std::mutex> guard(tables);

		if (buffers.empty())
			return object({{"freed", "null"}});
		lowest = buffers.begin()->first;
	}
	free_all([&](auto &b) { return b.first == lowest; });
	return object({{"freed", number(lowest)}});
}

std::string loop(Words &words)
{
	using clock = std::chrono::steady_clock;

	standin_mesh *device = mesh_of(words.number());
	uint64_t count = words.number(), pairs = 0;
	standin_request r{};
	standin_buffer *buffer;
	char error[512];
	auto start = clock::now();

	r.size = r.page_size = 2048;
	r.no_shards = 1;
	for (; pairs < count; pairs++) {
		if (standin.alloc(device, &r, &buffer, error, sizeof error) < 0)
			break;
		standin.free(buffer);
	}
	double ns = std::chrono::duration<double, std::nano>(clock::now() - start).count();
	char text[32];

	snprintf(text, sizeof text, "%.1f", pairs ? ns / static_cast<double>(pairs) : 0.0);
	return object({{"ns", text}, {"pairs", number(pairs)}});
}

std::vector<standin_block> blocks_of(standin_mesh *mesh, uint32_t type)
{
	std::vector<standin_block> all(1024);
	size_t count;

	while ((count = standin.blocks(mesh, type, all.data(), all.size())) > all.size())
		all.resize(count);
	all.resize(count);
	return all;
}

std::string stats(Words &words)
{
	standin_mesh *mesh = mesh_of(words.number());
	std::string out = "{";

	for (const auto &[name, type] : types) {
		standin_figures s;
		std::string taken;

		if (type == STANDIN_SYSTEM)
			continue;
		standin.statistics(mesh, type, &s);
		for (const standin_block &b : blocks_of(mesh, type))
			if (!b.free)
				taken += (taken.empty() ? "[" : ",[") + number(b.address) + "," +
					 number(b.size) + "]";
		out += (out.size() > 1 ? "," : "") + quoted(name) + ":" +
		       object({{"banks", number(s.banks)},
			       {"base", number(s.base)},
			       {"size_bytes", number(s.total)},
			       {"allocated_bytes", number(s.allocated)},
			       {"free_bytes", number(s.free)},
			       {"largest_free_bytes", number(s.largest_free)},
			       {"blocks", "[" + taken + "]"}});
	}
	return out + "}";
}

std::string blocks(Words &words)
{
	standin_mesh *mesh = mesh_of(words.number());
	std::string out;

	for (const standin_block &b : blocks_of(mesh, type_of(words.next())))
		out += (out.empty() ? "[" : ",[") + number(b.address) + "," + number(b.size) +
		       (b.free ? ",\"free\"]" : ",\"taken\"]");
	return object({{"blocks", "[" + out + "]"}});
}

std::string list(Words &)
{
	std::lock_guard<std::mutex> guard(tables);
	std::string out;

	for (const auto &[id, b] : buffers) {
		standin_description d;

		standin.describe(b.buffer, &d);
		out += (out.empty() ? "" : ",") +
		       object({{"buffer", number(id)},
			       {"mesh", number(b.mesh)},
			       {"type", quoted(type_name(d.type))},
			       {"layout", number(d.layout)},
			       {"address", number(d.address)},
			       {"size", number(d.size)},
			       {"page_size", number(d.page_size)},
			       {"bank_bytes", number(d.bank_bytes)},
			       {"cores", number(d.cores)},
			       {"allocated", d.allocated ? "true" : "false"},
			       {"object", number(d.object)}});
	}
	return object({{"buffers", "[" + out + "]"}});
}

std::string events(Words &)
{
	standin_counts e;

	standin.events(&e);
	return object({{"track_allocate", number(e.allocate)},
		       {"track_deallocate", number(e.deallocate)},
		       {"track_allocate_cb", number(e.allocate_cb)},
		       {"track_deallocate_cb", number(e.deallocate_cb)}});
}
} // namespace

void add_memory_commands(Commands &c)
{
	c["open"] = open;
	c["submesh"] = submesh;
	c["close"] = close;
	c["alloc"] = [](Words &words) {
		uint64_t mesh = words.number();
		return allocate(mesh, request_of(words));
	};
	c["free"] = free_one;
	c["view"] = view;
	c["capture"] = capture;
	c["fail"] = fail;
	c["validate"] = validate;
	c["cb"] = cb;
	c["cbfree"] = cb_free;
	c["random"] = random_history;
	c["threads"] = threads;
	c["many"] = many;
	c["freeall"] = free_everything;
	c["loop"] = loop;
	c["stats"] = stats;
	c["blocks"] = blocks;
	c["list"] = list;
	c["events"] = events;
	c["generation"] = [](Words &) {
		return object({{"generation", number(standin.generation())}});
	};
	c["freefirst"] = free_first;
}
} // namespace app
