#!/bin/bash
# Takes out of a virtual environment what no process of an image reads: tests, headers, sources of extensions, symbols,
# and the parts of Arrow that speak to other servers. Libraries that wheels bring along (*.libs) stay as they are.
set -euo pipefail
site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
find "$site" -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
find "$site" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.pyi' -o -name '*.[ch]' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.a' \) -delete
rm -rf "$site"/pyarrow/include "$site"/pyarrow/libarrow_flight* \
    "$site"/pyarrow/libarrow_python_flight* "$site"/pyarrow/_flight* \
    "$site"/plotly/labextension "$site"/../../../share/jupyter
find "$site" -name '*.so*' -type f -not -path '*.libs/*' -exec strip --strip-unneeded {} +
