/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which release is imitated: -DGEN=... picks one of seven generations. All that
 * differs between them is decided here, so that the other files only ask.
 *
 *   60   0.60.1            everything in _ttnncpp.so
 *   62   0.62.0 .. 0.64.0  first libtt_metal.so
 *   64   0.64.5            CoreRangeSet moved into tt::tt_metal
 *   66   0.65.1 .. 0.68    AllocatorImpl behind a facade, MeshDeviceImpl
 *   70   0.70.1 .. 0.78    the cluster description can be reached
 *   79   0.79.0 .. 0.81.1  Buffer keeps its fields behind a pointer and has accessors
 *   98   a future build in which only size and page size changed places
 *   99   a future build in which all fields of Buffer lie elsewhere
 *
 * NO_STATISTICS, NO_IMPL_STATISTICS, NO_UNIQUE_IDS and NO_FAILURES take single
 * names out of what is exported.
 */
#pragma once

#ifndef GEN
#error "GEN must be given"
#endif

#define HAS_IMPL	  (GEN >= 66)
#define HAS_MESH_IMPL	  (GEN >= 66)
#define HAS_CONTEXT	  (GEN >= 66)
#define HAS_CONTEXT_ID	  (GEN >= 70)
#define HAS_CLUSTER_DESC  (GEN >= 70)
#define HAS_PIMPL	  (GEN == 79)
#define CORES_IN_METAL	  (GEN >= 64)
#define STATISTICS_VECTOR (GEN <= 66) /* a std::vector at the end of what get_statistics() gives */
#define TRACE_IS_TOTAL	  (GEN >= 70) /* trace size is for the device; before, for each bank */
#define CB_PER_CHIP	  (GEN >= 70) /* CB events name the chip; before, the mesh */
#define CB_END_IS_TOLD	  (GEN >= 70) /* before, nothing calls track_deallocate_cb */

/* Slots of IDevice's vtable that move, and where unique_id lies behind the first field. */
#if GEN == 60
#define SLOT_GRID	27
#define SLOT_ALLOCATOR	30
#define SLOT_INITIALIZE 53
#define SLOT_CLOSE	59
#define UNIQUE_ID_AT	0x170
#elif GEN == 62
#define SLOT_GRID	27
#define SLOT_ALLOCATOR	30
#define SLOT_INITIALIZE 47
#define SLOT_CLOSE	53
#define UNIQUE_ID_AT	0x1e8
#elif GEN == 64
#define SLOT_GRID	27
#define SLOT_ALLOCATOR	30
#define SLOT_INITIALIZE 45
#define SLOT_CLOSE	51
#define UNIQUE_ID_AT	0x1c8
#elif GEN == 66
#define SLOT_GRID	27
#define SLOT_ALLOCATOR	30
#define SLOT_IMPL	32
#define SLOT_INITIALIZE 47
#define SLOT_CLOSE	53
#define UNIQUE_ID_AT	0x1c8
#elif GEN == 79
#define SLOT_GRID	20
#define SLOT_ALLOCATOR	23
#define SLOT_IMPL	25
#define SLOT_INITIALIZE 38
#define SLOT_CLOSE	39
#define UNIQUE_ID_AT	0x218
#else
#define SLOT_GRID	19
#define SLOT_ALLOCATOR	22
#define SLOT_IMPL	24
#define SLOT_INITIALIZE 37
#define SLOT_CLOSE	38
#define UNIQUE_ID_AT	0x210
#endif

/* An n150 with fast dispatch. Bases move with the releases, so they differ here too. */
#define L1_BYTES   1499136u
#define DRAM_BYTES 0x40000000u
#define DRAM_BANKS 12u
#define GRID_X	   8u
#define GRID_Y	   8u
#if GEN <= 66
#define L1_BASE	  0x19480u
#define DRAM_BASE 0x20u
#elif GEN == 79
#define L1_BASE	  0x19d60u
#define DRAM_BASE 0x100040u
#else
#define L1_BASE	  0x19ce0u
#define DRAM_BASE 0x100040u
#endif

#define HIDDEN __attribute__((visibility("hidden")))
#ifdef NO_STATISTICS
#define STATISTICS_EXPORT HIDDEN
#define FACADE_EXPORT	  HIDDEN
#elif defined NO_IMPL_STATISTICS
#define STATISTICS_EXPORT HIDDEN
#define FACADE_EXPORT
#else
#define STATISTICS_EXPORT
#define FACADE_EXPORT
#endif
#ifdef NO_UNIQUE_IDS
#define UNIQUE_IDS_EXPORT HIDDEN
#else
#define UNIQUE_IDS_EXPORT
#endif
#ifdef NO_FAILURES
#define FAILURES_EXPORT HIDDEN
#else
#define FAILURES_EXPORT
#endif
