# SPDX-License-Identifier: Apache-2.0
"""A mesh of all chips: mesh.py ROWS COLUMNS; then a submesh with buffers of its own."""
import sys

import ttnn

from truth import dispatch, empty, pause

rows, columns = (int(a) for a in sys.argv[1:3])
mesh = ttnn.open_mesh_device(ttnn.MeshShape(rows, columns), **dispatch())
pause("open", [mesh], chips=rows * columns)
held = [empty(mesh, (1, 1, 1024, 1024), "dram"), empty(mesh, (1, 1, 256, 256), "l1")]
pause("mesh", [mesh], chips=rows * columns)
sub = mesh.create_submesh(ttnn.MeshShape(1, 1))
held.append(empty(sub, (1, 1, 512, 512), "dram"))
held.append(empty(sub, (1, 1, 512, 512), "l1"))
pause("submesh", [mesh, sub], chips=rows * columns)
ttnn.deallocate(held.pop(0))
pause("parent freed", [mesh, sub], chips=rows * columns)
held.pop(0)
ttnn.close_mesh_device(mesh)
# the submesh and its allocator outlive their parent for as long as somebody holds them
pause("parent closed", [sub])
held.clear()
del sub, mesh
pause("closed", [])
