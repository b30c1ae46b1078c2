// SPDX-License-Identifier: GPL-2.0-only
#include "cni/cni.h"

int main(int argc, char **argv)
{
	return up_cni_main(argc, argv);
}
