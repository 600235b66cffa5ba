/* SPDX-License-Identifier: GPL-2.0-only */
/* What ike.c (when to do what) and ike_message.c (how it is said) share. */
#ifndef VGW_SYS_IKE_INTERNAL_H
#define VGW_SYS_IKE_INTERNAL_H

#include <sys/stat.h>

#include "sys/ike.h"
#include "sys/vici.h"

struct ike_settings { /* struct ike_config with memory of its own */
	char name[64];
	struct addr local, remote;
	char *local_id, *remote_id, *psk_file, *proposals, *esp_proposals;
	uint32_t if_id, dpd_delay, rekey_time, child_rekey_time;
	uint8_t version;
	bool initiate, encap;
	struct stat psk_stat; /* zero if the file is not there */
};

enum ike_difference {
	IKE_SAME,
	IKE_OTHER, /* to load; SAs that are there stay right */
	IKE_OTHER_SA, /* SAs must be made anew */
};

/* What charon's list of SAs says about one connection. */
struct ike_look {
	bool connecting, established, installed;
	char ike_cipher[80], child_cipher[80];
};

struct ike_conn {
	struct ike_conn *next;
	struct ike *ike;
	struct ike_settings settings;
	struct ike_status status;
	struct loop_timer *timer; /* look again */
	bool wanted; /* false: being unloaded */
	bool secret_loaded, loaded;
	bool busy; /* a request is under way */
	bool reload; /* the content changed while busy */
	bool terminate, terminate_after_load;
	bool look_again, looking;
	bool kicked, rekeyed;
	unsigned int unload_step;
	uint32_t backoff; /* ms, 0 at the beginning of a series */
	/* loop times, 0 for none */
	uint64_t retry_at, attempt_at, up_at, kicked_at, repaired_at;
	struct ike_look look;
	char reason[160]; /* of the attempt's failure, from charon's log */
};

struct ike {
	struct loop *loop;
	const struct ike_ops *ops;
	void *ctx;
	struct vici *vici;
	struct ike_conn *conns;
};

/* 0, -EINVAL, -ENAMETOOLONG or -ENOMEM. */
int ike_settings_make(struct ike_settings *settings, const struct ike_config *config);
void ike_settings_clear(struct ike_settings *settings);
enum ike_difference ike_settings_compare(const struct ike_settings *a,
					 const struct ike_settings *b);
/* load-shared; NULL: see text. */
struct vici_msg *ike_secret_msg(const struct ike_settings *settings, char *text, size_t size);
/* load-conn; NULL on no memory. */
struct vici_msg *ike_conn_msg(const struct ike_settings *settings);
/* Adds one IKE SA; the reader stands behind the start of its section. */
void ike_look_read(struct ike_look *look, struct vici_reader *message);
/* A line of charon's log: true if it tells why an attempt failed. */
bool ike_log_reason(struct vici_reader *message, char *name, size_t name_size, char *reason,
		    size_t reason_size);

#endif
