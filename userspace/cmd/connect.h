/* SPDX-License-Identifier: GPL-2.0-only */
/* "network connect" and "network disconnect". */
#ifndef UP_CMD_CONNECT_H
#define UP_CMD_CONNECT_H

struct up_cmd;

/** up_network_connect(), up_network_disconnect() - argv[0] is the verb, @cmd "network". Return: an
 * exit status */
int up_network_connect(const struct up_cmd *cmd, int argc, char **argv);
int up_network_disconnect(const struct up_cmd *cmd, int argc, char **argv);

#endif
