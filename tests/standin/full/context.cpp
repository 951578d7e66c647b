/* SPDX-License-Identifier: Apache-2.0 */
#include "context.hpp"

namespace tt {
#if HAS_CLUSTER_DESC
umd::ClusterDescriptor *Cluster::get_cluster_desc() const { return &descriptor_; }
#endif

#if HAS_CONTEXT
namespace tt_metal {
#if HAS_CONTEXT_ID
MetalContext &MetalContext::instance(ContextId)
#else
MetalContext &MetalContext::instance()
#endif
{
	static MetalContext context;
	return context;
}

Cluster &MetalContext::get_cluster() { return cluster_; }
} // namespace tt_metal
#endif
} // namespace tt

namespace standin {
void describe_chip(int id, uint64_t unique_id, const char *bdf)
{
#if HAS_CLUSTER_DESC
	tt::tt_metal::MetalContext::instance(tt::tt_metal::ContextId(0))
		.get_cluster()
		.get_cluster_desc()
		->describe(id, unique_id, bdf ? bdf : "");
#else
	(void)id, (void)unique_id, (void)bdf;
#endif
}
} // namespace standin
