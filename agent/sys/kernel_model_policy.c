// SPDX-License-Identifier: GPL-2.0-only
#include "sys/kernel_model.h"

#include <errno.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>

/* The policy route's place, or the place where it would stand. */
static bool policy_find(const struct model_gateway *gw, const struct kernel_policy *name,
			size_t *place)
{
	const struct kernel_policy *policies = gw->policies.items;
	size_t i = 0;

	while (i < gw->policies.n && kernel_policy_compare(&policies[i], name) < 0)
		i++;
	*place = i;
	return i < gw->policies.n && !kernel_policy_compare(&policies[i], name);
}

static int check(const struct model_gateway *gw, const struct kernel_policy *want, bool add,
		 const char **text)
{
	int ret;

	*text = "integer out of range";
	if (add && want->on_fail > VGW_ON_FAIL_MAX)
		return -ERANGE;
	ret = model_prefix_check(&want->dst, text);
	if (!ret)
		ret = model_prefix_check(&want->src, text);
	if (ret || !add)
		return ret;
	*text = "policy route has no group";
	if (!want->group)
		return -EINVAL;
	*text = "no group with this id";
	return model_group_find(gw, want->group) ? 0 : -ENOENT;
}

static int apply_one(struct model_gateway *gw, const struct kernel_policy *want, bool add,
		     const char **text)
{
	struct kernel_policy *policy;
	size_t place;
	bool present;
	int ret;

	ret = check(gw, want, add, text);
	if (ret)
		return ret;
	present = policy_find(gw, want, &place);
	*text = "no policy route with this priority, sequence and prefixes";
	if (!add && !present)
		return -ENOENT;
	if (!add) {
		model_remove(&gw->policies, place, sizeof(*policy));
		return 0;
	}
	*text = "gateway has its limit of policy routes";
	if (!present && gw->policies.n >= VGW_POLICIES_MAX)
		return -ENOSPC;
	*text = NULL;
	policy = present ? model_item(&gw->policies, place, sizeof(*policy)) :
			   model_insert(&gw->policies, place, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	*policy = *want;
	policy->stale = false;
	return 0;
}

/* On a copy, which stays if all of it went well. */
void model_policies_change(struct model_gateway *gw, const struct kernel_call *call,
			   struct kernel_result *result)
{
	struct model_gateway trial = *gw;
	size_t room = gw->policies.n + call->n_policies + 1;
	const char *text = "no policy route in the message";
	size_t i = 0;
	int ret = call->n_policies ? 0 : -EINVAL;

	trial.policies.items = calloc(room, sizeof(struct kernel_policy));
	trial.policies.room = room;
	if (!trial.policies.items) {
		kernel_result_fail(result, -ENOMEM, NULL, -1);
		return;
	}
	if (gw->policies.n)
		memcpy(trial.policies.items, gw->policies.items,
		       gw->policies.n * sizeof(struct kernel_policy));
	for (; !ret && i < call->n_policies; i++)
		ret = apply_one(&trial, &call->policies[i], call->op == KERNEL_OP_POLICIES_ADD,
				&text);
	if (ret) {
		free(trial.policies.items);
		kernel_result_fail(result, ret, text, (long)i - 1);
		return;
	}
	free(gw->policies.items);
	*gw = trial;
}
