// SPDX-License-Identifier: GPL-2.0-only
/* vgwctl: asks vgwd, and the module when vgwd is away. */
#include "vgwctl/cli.h"

#ifndef VGW_VERSION
#error "VGW_VERSION comes from the Makefile"
#endif

int main(int argc, char **argv)
{
	return cli_run(argc, argv, VGW_VERSION, stdout, stderr);
}
