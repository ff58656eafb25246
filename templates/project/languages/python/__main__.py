"""Creates the cluster that Pulumi.<stack>.yaml describes."""

import pulumi

# The commands of Kubewright read these outputs of the stack.
OUTPUTS = ("kubeconfigPath", "kubectlPath", "artifactSource", "stackId")


class ConfiguredCluster(pulumi.ComponentResource):
    """The machines and the cluster of a configuration. Kubewright's provider creates them.

    The argument `configuration` replaces the configuration of the stack: {"workers": {"count": 3}}.
    """

    def __init__(self, name, args=None, opts=None):
        inputs = {**dict.fromkeys(OUTPUTS), **(args or {})}
        super().__init__("kubewright:components:ConfiguredCluster", name, inputs, opts, remote=True)


cluster = ConfiguredCluster("cluster")
for output in OUTPUTS:
    pulumi.export(output, getattr(cluster, output))
