// SPDX-License-Identifier: GPL-2.0-only
/* A connection as VICI messages, and charon's answers as facts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "sys/ike_internal.h"

/*
 * Sets that data center devices and clouds have, strongest first. The forms
 * without a group at the end of ESP are for peers without perfect forward secrecy.
 */
#define IKE_PROPOSALS \
	"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384-ecp256-modp3072-modp2048," \
	"aes256-aes128-sha384-sha256-ecp384-ecp256-modp3072-modp2048"
#define ESP_PROPOSALS \
	"aes256gcm16-aes128gcm16-ecp384-ecp256-modp3072-modp2048," \
	"aes256-aes128-sha384-sha256-ecp384-ecp256-modp3072-modp2048," \
	"aes256gcm16-aes128gcm16,aes256-aes128-sha384-sha256"
#define DPD_DELAY 10
#define REKEY_TIME 14400
#define CHILD_REKEY_TIME 3000
#define SECRET_MAX 1024

/* ---- settings ---- */

static bool copy_string(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return !text || *out;
}

static void psk_stat(const char *path, struct stat *out)
{
	if (stat(path, out))
		memset(out, 0, sizeof(*out));
}

int ike_settings_make(struct ike_settings *settings, const struct ike_config *config)
{
	memset(settings, 0, sizeof(*settings));
	if (!config->name || !config->name[0] || !config->psk_file ||
	    !addr_is_set(&config->remote) || !config->if_id)
		return -EINVAL;
	if (strlen(config->name) >= sizeof(settings->name))
		return -ENAMETOOLONG;
	memcpy(settings->name, config->name, strlen(config->name) + 1);
	settings->local = config->local;
	settings->remote = config->remote;
	settings->if_id = config->if_id;
	settings->dpd_delay = config->dpd_delay ? config->dpd_delay : DPD_DELAY;
	settings->rekey_time = config->rekey_time ? config->rekey_time : REKEY_TIME;
	settings->child_rekey_time =
		config->child_rekey_time ? config->child_rekey_time : CHILD_REKEY_TIME;
	settings->version = config->version ? config->version : 2;
	settings->initiate = config->initiate;
	settings->encap = config->encap;
	psk_stat(config->psk_file, &settings->psk_stat);
	if (!copy_string(&settings->local_id, config->local_id) ||
	    !copy_string(&settings->remote_id, config->remote_id) ||
	    !copy_string(&settings->psk_file, config->psk_file) ||
	    !copy_string(&settings->proposals,
			 config->proposals ? config->proposals : IKE_PROPOSALS) ||
	    !copy_string(&settings->esp_proposals,
			 config->esp_proposals ? config->esp_proposals : ESP_PROPOSALS)) {
		ike_settings_clear(settings);
		return -ENOMEM;
	}
	return 0;
}

void ike_settings_clear(struct ike_settings *settings)
{
	free(settings->local_id);
	free(settings->remote_id);
	free(settings->psk_file);
	free(settings->proposals);
	free(settings->esp_proposals);
	memset(settings, 0, sizeof(*settings));
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_file(const struct ike_settings *a, const struct ike_settings *b)
{
	return same_string(a->psk_file, b->psk_file) &&
	       a->psk_stat.st_dev == b->psk_stat.st_dev &&
	       a->psk_stat.st_ino == b->psk_stat.st_ino &&
	       a->psk_stat.st_size == b->psk_stat.st_size &&
	       a->psk_stat.st_mtim.tv_sec == b->psk_stat.st_mtim.tv_sec &&
	       a->psk_stat.st_mtim.tv_nsec == b->psk_stat.st_mtim.tv_nsec;
}

enum ike_difference ike_settings_compare(const struct ike_settings *a,
					 const struct ike_settings *b)
{
	if (!addr_equal(&a->local, &b->local) || !addr_equal(&a->remote, &b->remote) ||
	    !same_string(a->local_id, b->local_id) || !same_string(a->remote_id, b->remote_id) ||
	    !same_string(a->proposals, b->proposals) ||
	    !same_string(a->esp_proposals, b->esp_proposals) || a->if_id != b->if_id ||
	    a->version != b->version || a->encap != b->encap)
		return IKE_OTHER_SA;
	/* The secret only proved who the peer is; times count from the next rekey on. */
	if (!same_file(a, b) || a->dpd_delay != b->dpd_delay || a->rekey_time != b->rekey_time ||
	    a->child_rekey_time != b->child_rekey_time || a->initiate != b->initiate)
		return IKE_OTHER;
	return IKE_SAME;
}

/* ---- load-shared ---- */

/* The text of the file without its line end, or negative errno. */
static ssize_t secret_read(const struct ike_settings *settings, char *secret, size_t size)
{
	int fd = open(settings->psk_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	if (st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH))
		log_warning(settings->name, "'%s' can be read or written by others than its owner",
			    settings->psk_file);
	n = read(fd, secret, size);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n == (ssize_t)size)
		return -EFBIG;
	while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
		n--;
	return n ? n : -ENODATA;
}

static void put_owner(char *out, size_t size, const char *id, const struct addr *address)
{
	if (id)
		snprintf(out, size, "%s", id);
	else
		addr_format(address, out, size);
}

struct vici_msg *ike_secret_msg(const struct ike_settings *settings, char *text, size_t size)
{
	struct vici_msg *msg = vici_msg_new();
	char secret[SECRET_MAX], owner[256];
	ssize_t n = msg ? secret_read(settings, secret, sizeof(secret)) : -ENOMEM;

	if (n < 0) {
		snprintf(text, size, "pre-shared key file '%s': %s", settings->psk_file,
			 n == -ENODATA ? "is empty" :
			 n == -EINVAL ? "is not a plain file" : strerror((int)-n));
		vici_msg_free(msg);
		msg = NULL;
	} else {
		vici_value(msg, "id", "%s", settings->name);
		vici_value(msg, "type", "IKE");
		vici_data(msg, "data", secret, (size_t)n);
		vici_list_start(msg, "owners");
		if (settings->local_id || addr_is_set(&settings->local)) {
			put_owner(owner, sizeof(owner), settings->local_id, &settings->local);
			vici_list_item(msg, owner);
		}
		put_owner(owner, sizeof(owner), settings->remote_id, &settings->remote);
		vici_list_item(msg, owner);
		vici_list_end(msg);
	}
	explicit_bzero(secret, sizeof(secret));
	return msg;
}

/* ---- load-conn ---- */

static void put_auth(struct vici_msg *msg, const char *side, const char *id)
{
	vici_section(msg, side);
	vici_value(msg, "auth", "psk");
	if (id)
		vici_value(msg, "id", "%s", id);
	vici_section_end(msg);
}

static void put_if_id(struct vici_msg *msg, uint32_t if_id)
{
	vici_value(msg, "if_id_in", "%u", if_id);
	vici_value(msg, "if_id_out", "%u", if_id);
}

/* Everything may pass: what does is decided by routes, the tunnel is an interface. */
static void put_child(struct vici_msg *msg, const struct ike_settings *settings)
{
	vici_section(msg, "children");
	vici_section(msg, settings->name);
	vici_value(msg, "mode", "tunnel");
	vici_list(msg, "local_ts", "0.0.0.0/0,::/0");
	vici_list(msg, "remote_ts", "0.0.0.0/0,::/0");
	vici_list(msg, "esp_proposals", settings->esp_proposals);
	vici_value(msg, "rekey_time", "%u", settings->child_rekey_time);
	vici_value(msg, "start_action", "none");
	vici_value(msg, "dpd_action", "clear");
	vici_value(msg, "close_action", "none");
	vici_value(msg, "policies_fwd_out", "no");
	put_if_id(msg, settings->if_id);
	vici_section_end(msg);
	vici_section_end(msg);
}

struct vici_msg *ike_conn_msg(const struct ike_settings *settings)
{
	struct vici_msg *msg = vici_msg_new();
	char text[ADDR_STRLEN];

	if (!msg)
		return NULL;
	vici_section(msg, settings->name);
	vici_value(msg, "version", "%u", settings->version);
	if (addr_is_set(&settings->local))
		vici_list(msg, "local_addrs", addr_format(&settings->local, text, sizeof(text)));
	vici_list(msg, "remote_addrs", addr_format(&settings->remote, text, sizeof(text)));
	vici_list(msg, "proposals", settings->proposals);
	vici_value(msg, "mobike", "no");
	vici_value(msg, "fragmentation", "yes");
	vici_value(msg, "encap", settings->encap ? "yes" : "no");
	vici_value(msg, "dpd_delay", "%u", settings->dpd_delay);
	vici_value(msg, "keyingtries", "1");
	/* Of connections that differ; tunnels with the same identities differ by their if_id. */
	vici_value(msg, "unique", "replace");
	vici_value(msg, "reauth_time", "0");
	vici_value(msg, "rekey_time", "%u", settings->rekey_time);
	put_if_id(msg, settings->if_id);
	put_auth(msg, "local", settings->local_id);
	put_auth(msg, "remote", settings->remote_id);
	put_child(msg, settings);
	vici_section_end(msg);
	return msg;
}

/* ---- list-sa ---- */

struct algorithms {
	char encr[32], keysize[16], integ[32], prf[32], group[32];
};

static void algorithm_read(struct algorithms *algs, const struct vici_reader *message)
{
	static const struct {
		const char *key;
		size_t offset, size;
	} keys[] = {
		{ "encr-alg", offsetof(struct algorithms, encr), sizeof(algs->encr) },
		{ "encr-keysize", offsetof(struct algorithms, keysize), sizeof(algs->keysize) },
		{ "integ-alg", offsetof(struct algorithms, integ), sizeof(algs->integ) },
		{ "prf-alg", offsetof(struct algorithms, prf), sizeof(algs->prf) },
		{ "dh-group", offsetof(struct algorithms, group), sizeof(algs->group) },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(message->name, keys[i].key))
			vici_text(message, (char *)algs + keys[i].offset, keys[i].size);
}

static void algorithms_format(const struct algorithms *algs, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s%s%s%s%s%s", algs->encr, algs->keysize[0] ? "-" : "",
		 algs->keysize, algs->integ[0] ? "/" : "", algs->integ, algs->prf[0] ? "/" : "",
		 algs->prf, algs->group[0] ? "/" : "", algs->group);
}

static void child_read(struct ike_look *look, struct vici_reader *message)
{
	struct algorithms algs = { 0 };
	unsigned int depth = message->depth;
	bool installed = false;

	while (vici_next(message) > VICI_END && message->depth >= depth) {
		if (message->element != VICI_KEY_VALUE || message->depth != depth)
			continue;
		/* Charon lists the outdated one of a rekey too, as REKEYED. */
		if (!strcmp(message->name, "state"))
			installed = vici_is(message, "INSTALLED") || vici_is(message, "REKEYING");
		algorithm_read(&algs, message);
	}
	if (!installed)
		return;
	look->installed = true;
	algorithms_format(&algs, look->child_cipher, sizeof(look->child_cipher));
}

static void children_read(struct ike_look *look, struct vici_reader *message)
{
	unsigned int depth = message->depth;

	while (vici_next(message) > VICI_END && message->depth >= depth)
		if (message->element == VICI_SECTION_START)
			child_read(look, message);
}

void ike_look_read(struct ike_look *look, struct vici_reader *message)
{
	struct algorithms algs = { 0 };
	unsigned int depth = message->depth;
	struct ike_look child = { 0 };
	bool established = false;

	while (vici_next(message) > VICI_END && message->depth >= depth) {
		if (message->element == VICI_SECTION_START) {
			if (!strcmp(message->name, "child-sas"))
				children_read(&child, message);
			else if (!vici_skip(message))
				return;
		} else if (message->element == VICI_KEY_VALUE) {
			if (!strcmp(message->name, "state")) {
				established = vici_is(message, "ESTABLISHED") ||
					      vici_is(message, "REKEYING");
				look->connecting |= vici_is(message, "CREATED") ||
						    vici_is(message, "CONNECTING");
			}
			algorithm_read(&algs, message);
		}
	}
	look->established |= established;
	if (established)
		algorithms_format(&algs, look->ike_cipher, sizeof(look->ike_cipher));
	/* Children of an IKE SA that is being deleted are on their way out. */
	if (established && child.installed) {
		look->installed = true;
		memcpy(look->child_cipher, child.child_cipher, sizeof(look->child_cipher));
	}
}

/* ---- log ---- */

bool ike_log_reason(struct vici_reader *message, char *name, size_t name_size, char *reason,
		    size_t reason_size)
{
	static const char *const words[] = {
		"notify error", "no CHILD_SA built", "failed", "not responding", "mismatch",
		"no shared key", "no acceptable", "unable to", "not supported", "giving up",
	};

	name[0] = reason[0] = '\0';
	while (vici_next(message) > VICI_END) {
		if (message->element != VICI_KEY_VALUE)
			continue;
		if (!strcmp(message->name, "ikesa-name"))
			vici_text(message, name, name_size);
		else if (!strcmp(message->name, "msg"))
			vici_text(message, reason, reason_size);
	}
	if (!name[0])
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(reason, words[i]))
			return true;
	return false;
}
