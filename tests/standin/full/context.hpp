/* SPDX-License-Identifier: Apache-2.0 */
/* MetalContext -> Cluster -> ClusterDescriptor: how a process tells which chips it has. */
#pragma once

#include <memory>

#include "core.hpp"
#include "umd.hpp"

namespace tt {
class Cluster {
public:
#if HAS_CLUSTER_DESC
	UNIQUE_IDS_EXPORT umd::ClusterDescriptor *get_cluster_desc() const;

private:
	mutable umd::ClusterDescriptor descriptor_;
#endif
};

#if HAS_CONTEXT
namespace tt_metal {
class MetalContext {
public:
#if HAS_CONTEXT_ID
	static MetalContext &instance(ContextId id);
#else
	static MetalContext &instance();
#endif
	Cluster &get_cluster();

private:
	Cluster cluster_;
};
} // namespace tt_metal
#endif
} // namespace tt

namespace standin {
/* Makes a chip known to the description, where the generation has one. */
HIDDEN void describe_chip(int id, uint64_t unique_id, const char *bdf);
} // namespace standin
